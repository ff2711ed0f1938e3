{{/* What cannot work is refused, with what to do instead. The schema refuses most of it, too, in its own words. */}}
{{- define "cloudmeet.checks" -}}
{{- $values := .Values -}}
{{- if .Values.server.enabled -}}
{{- if not (include "cloudmeet.publicUrl" .) -}}
{{- fail "publicUrl is required: set it to the address that people type, such as https://meet.example.org, or enable ingress or httpRoute with a host" -}}
{{- end -}}
{{- $stores := list -}}
{{- if .Values.sqlite.enabled }}{{ $stores = append $stores "sqlite.enabled" }}{{ end -}}
{{- if .Values.postgres.enabled }}{{ $stores = append $stores "postgres.enabled" }}{{ end -}}
{{- if or .Values.externalPostgres.host .Values.externalPostgres.existingSecret }}{{ $stores = append $stores "externalPostgres" }}{{ end -}}
{{- if not $stores -}}
{{- fail "say where data are kept: name a Postgres (externalPostgres.host and externalPostgres.existingSecret), or set sqlite.enabled=true for one server with a volume, or postgres.enabled=true to try out several" -}}
{{- end -}}
{{- if gt (len $stores) 1 -}}
{{- fail (printf "%s are set: keep one of them" (join " and " $stores)) -}}
{{- end -}}
{{- if .Values.sqlite.enabled -}}
{{- if .Values.split -}}
{{- fail "split needs Postgres: SQLite files cannot be shared by services; set split=false, or sqlite.enabled=false and externalPostgres" -}}
{{- end -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- fail (printf "replicaCount is %d, and SQLite takes one replica: set replicaCount=1, or sqlite.enabled=false and externalPostgres" (int .Values.replicaCount)) -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "autoscaling needs Postgres, for SQLite takes one replica: set autoscaling.enabled=false, or sqlite.enabled=false and externalPostgres" -}}
{{- end -}}
{{- else -}}
{{- if not (and .Values.secrets.existingSecret (or .Values.secrets.internalTokenKey .Values.secrets.jwtSecretKeyKey)) -}}
{{- fail "secrets.existingSecret is required with Postgres: make a Secret with `kubectl create secret generic cloudmeet --from-literal=internal-token=$(openssl rand -hex 32)` and name it" -}}
{{- end -}}
{{- end -}}
{{- with .Values.externalPostgres -}}
{{- if has "externalPostgres" $stores -}}
{{- if not .existingSecret -}}
{{- fail "externalPostgres.existingSecret is required: name a Secret with the password of externalPostgres.user" -}}
{{- end -}}
{{- if and .host (or .urlKey .authUrlKey .conferenceUrlKey) -}}
{{- fail "externalPostgres has a host and keys of URLs: keep one of the two" -}}
{{- end -}}
{{- if and .urlKey (or .authUrlKey .conferenceUrlKey) -}}
{{- fail "externalPostgres has urlKey and keys of single URLs: keep one of the two" -}}
{{- end -}}
{{- if not (or .host .urlKey (and .authUrlKey .conferenceUrlKey)) -}}
{{- fail "externalPostgres.host is required: or name the key of the Secret that has a URL as urlKey, or two as authUrlKey and conferenceUrlKey" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.postgres.enabled (not .Values.postgres.auth.existingSecret) (not .Values.postgres.auth.password) -}}
{{- fail "postgres.auth.existingSecret is required: name a Secret with a password, or set postgres.auth.password to try things out; the chart makes none, for it would make another with every upgrade" -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
{{- if and (not .Values.redis.auth.existingSecret) (not .Values.redis.auth.password) -}}
{{- fail "redis.auth.existingSecret is required: name a Secret with a password and a URL, or set redis.auth.password to try things out; the chart makes none, for it would make another with every upgrade" -}}
{{- end -}}
{{- if or .Values.externalRedis.host .Values.externalRedis.existingSecret -}}
{{- fail "redis.enabled and externalRedis are set: keep one of them" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.externalRedis.host .Values.externalRedis.existingSecret -}}
{{- fail "externalRedis has a host and a Secret with a URL: keep one of the two" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts is required: the server answers to names that it knows, so name the host that people type" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs is required: name the Gateway that the route belongs to" -}}
{{- end -}}
{{- else -}}
{{- if not .Values.operator.enabled -}}
{{- fail "nothing is left to install: set server.enabled=true or operator.enabled=true" -}}
{{- end -}}
{{- if not .Values.operator.cloudmeetUrl -}}
{{- fail "operator.cloudmeetUrl is required with server.enabled=false: set it to the CloudMeet that the operator speaks to" -}}
{{- end -}}
{{- if or .Values.ingress.enabled .Values.httpRoute.enabled -}}
{{- fail "ingress and httpRoute lead to servers, and server.enabled is false: disable them" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.operator.ca.existingSecret .Values.operator.ca.existingConfigMap -}}
{{- fail "operator.ca has a Secret and a ConfigMap: keep one of them" -}}
{{- end -}}
{{- end }}
