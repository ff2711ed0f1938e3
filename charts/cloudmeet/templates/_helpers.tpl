{{/* Names, labels, and what several templates ask. */}}

{{- define "cloudmeet.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for the suffix of a part. */}}
{{- define "cloudmeet.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "cloudmeet.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Never changes from release to release. Takes (list $ "component"). */}}
{{- define "cloudmeet.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "cloudmeet.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Takes (list $ "component"). */}}
{{- define "cloudmeet.labels" -}}
{{- $root := index . 0 -}}
{{- $own := include "cloudmeet.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (include "cloudmeet.chart" $root) -}}
{{- $_ := set $own "app.kubernetes.io/version" ($root.Chart.AppVersion | toString) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "cloudmeet" -}}
{{- merge $own $root.Values.commonLabels | toYaml }}
{{- end }}

{{/* The kinds of server that are installed, as a YAML list. */}}
{{- define "cloudmeet.components" -}}
{{- if not .Values.server.enabled -}}
[]
{{- else if .Values.split -}}
[gateway, auth, conference]
{{- else -}}
[server]
{{- end }}
{{- end }}

{{/* Which of them people reach. */}}
{{- define "cloudmeet.front" -}}
{{- ternary "gateway" "server" .Values.split }}
{{- end }}

{{/* The name of a part's Deployment and what goes with it. Takes (list $ "component"). */}}
{{- define "cloudmeet.componentName" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- include "cloudmeet.fullname" $root }}{{ if ne $component "server" }}-{{ $component }}{{ end }}
{{- end }}

{{/* The front keeps its Service's name when an installation is split. Takes (list $ "component"). */}}
{{- define "cloudmeet.serviceName" -}}
{{- $root := index . 0 -}}
{{- if eq (index . 1) (include "cloudmeet.front" $root) -}}
{{- include "cloudmeet.fullname" $root }}
{{- else -}}
{{- include "cloudmeet.componentName" . }}
{{- end }}
{{- end }}

{{/* Takes (list $ "name of the image" (dict "repository" … "digest" …)). */}}
{{- define "cloudmeet.image" -}}
{{- $root := index . 0 -}}
{{- $own := index . 2 -}}
{{- $repository := $own.repository | default (printf "%s/cloudmeet-%s" (trimSuffix "/" $root.Values.image.prefix) (index . 1)) -}}
{{- if $own.digest -}}
{{- printf "%s@%s" $repository $own.digest }}
{{- else -}}
{{- printf "%s:%s" $repository ($root.Values.image.tag | default $root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* An image of others. Takes its values. */}}
{{- define "cloudmeet.storeImage" -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end }}

{{- define "cloudmeet.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "cloudmeet.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "cloudmeet.operator.serviceAccountName" -}}
{{- $own := .Values.operator.serviceAccount -}}
{{- $own.name | default (ternary (include "cloudmeet.componentName" (list . "operator")) "default" $own.create) }}
{{- end }}

{{/* Empty where nothing says it. */}}
{{- define "cloudmeet.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl }}
{{- else if and .Values.ingress.enabled .Values.ingress.hosts -}}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tls))) (first .Values.ingress.hosts) }}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
{{- printf "https://%s" (first .Values.httpRoute.hostnames) }}
{{- end }}
{{- end }}

{{/* Where the cluster itself reaches the front. */}}
{{- define "cloudmeet.internalUrl" -}}
{{- $port := int .Values.service.port -}}
{{- printf "http://%s.%s.svc" (include "cloudmeet.fullname" .) .Release.Namespace }}{{ if ne $port 80 }}:{{ $port }}{{ end }}
{{- end }}

{{- define "cloudmeet.postgresSecret" -}}
{{- .Values.postgres.auth.existingSecret | default (include "cloudmeet.componentName" (list . "postgres")) }}
{{- end }}

{{- define "cloudmeet.redisSecret" -}}
{{- .Values.redis.auth.existingSecret | default (include "cloudmeet.componentName" (list . "redis")) }}
{{- end }}

{{- define "cloudmeet.operatorSecret" -}}
{{- .Values.operator.apiKey.existingSecret | default (include "cloudmeet.componentName" (list . "operator")) }}
{{- end }}

{{/*
The secrets of a part, as a YAML list of {variable, file, secret, key}: each becomes a file, and a variable that
names it. Takes (list $ "component").
*/}}
{{- define "cloudmeet.secrets" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $secrets := list -}}
{{- with $values.secrets -}}
{{- if and .existingSecret .internalTokenKey (ne $component "gateway") -}}
{{- $secrets = append $secrets (dict "variable" "INTERNAL_TOKEN" "secret" .existingSecret "key" .internalTokenKey) -}}
{{- end -}}
{{- if and .existingSecret .jwtSecretKeyKey -}}
{{- $secrets = append $secrets (dict "variable" "JWT_SECRET_KEY" "secret" .existingSecret "key" .jwtSecretKeyKey) -}}
{{- end -}}
{{- end -}}
{{- if ne $component "gateway" -}}
{{- if $values.postgres.enabled -}}
{{- $secrets = append $secrets (dict "variable" "POSTGRES_PASSWORD" "secret" (include "cloudmeet.postgresSecret" $root) "key" $values.postgres.auth.passwordKey) -}}
{{- else if not $values.sqlite.enabled -}}
{{- with $values.externalPostgres -}}
{{- if .host -}}
{{- $secrets = append $secrets (dict "variable" "POSTGRES_PASSWORD" "secret" .existingSecret "key" .passwordKey) -}}
{{- else if .urlKey -}}
{{- $secrets = append $secrets (dict "variable" "DATABASE_URL" "secret" .existingSecret "key" .urlKey) -}}
{{- else -}}
{{- if ne $component "conference" -}}
{{- $secrets = append $secrets (dict "variable" "AUTH_DATABASE_URL" "secret" .existingSecret "key" .authUrlKey) -}}
{{- end -}}
{{- if ne $component "auth" -}}
{{- $secrets = append $secrets (dict "variable" "CONFERENCE_DATABASE_URL" "secret" .existingSecret "key" .conferenceUrlKey) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $values.redis.enabled -}}
{{- $secrets = append $secrets (dict "variable" "REDIS_URL" "secret" (include "cloudmeet.redisSecret" $root) "key" (ternary $values.redis.auth.urlKey "redis-url" (not (empty $values.redis.auth.existingSecret)))) -}}
{{- else if $values.externalRedis.existingSecret -}}
{{- $secrets = append $secrets (dict "variable" "REDIS_URL" "secret" $values.externalRedis.existingSecret "key" $values.externalRedis.urlKey) -}}
{{- end -}}
{{- end -}}
{{- toYaml $secrets }}
{{- end }}

{{/* What a part is told, as a YAML map for its ConfigMap. Takes (list $ "component"). */}}
{{- define "cloudmeet.settings" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $front := eq $component (include "cloudmeet.front" $root) -}}
{{- $settings := dict
  "ROLE" (ternary "all" $component (eq $component "server"))
  "HOST" $values.host
  "PORT" "8000"
  "PUBLIC_URL" (include "cloudmeet.publicUrl" $root)
  "TRUSTED_PROXIES" (join "," $values.trustedProxies)
  "RUST_LOG" $values.log.level
  "LOG_FORMAT" $values.log.format
  "OTEL_EXPORTER_OTLP_ENDPOINT" $values.otlpEndpoint -}}
{{- if $front -}}
{{- $origins := $values.allowedOrigins -}}
{{- /* The server answers to names that it knows; the operator calls it by that of the Service. */ -}}
{{- if and $values.operator.enabled (not $values.operator.cloudmeetUrl) -}}
{{- $origins = append $origins (include "cloudmeet.internalUrl" $root) -}}
{{- end -}}
{{- $_ := set $settings "ALLOWED_ORIGINS" (join "," $origins) -}}
{{- end -}}
{{- if has $component (list "server" "auth") -}}
{{- $_ := set $settings "REGISTRATION" $values.registration -}}
{{- $_ := set $settings "JWT_ACCESS_TOKEN_EXPIRE_MINUTES" (int $values.accessTokenExpireMinutes | toString) -}}
{{- end -}}
{{- if has $component (list "server" "conference") -}}
{{- $_ := set $settings "CACHE_TTL_SECONDS" (int $values.cacheTtlSeconds | toString) -}}
{{- end -}}
{{- if has $component (list "gateway" "conference") -}}
{{- $_ := set $settings "AUTH_SERVICE_URL" (printf "http://%s:8000" (include "cloudmeet.serviceName" (list $root "auth"))) -}}
{{- end -}}
{{- if eq $component "gateway" -}}
{{- $_ := set $settings "CONFERENCE_SERVICE_URL" (printf "http://%s:8000" (include "cloudmeet.serviceName" (list $root "conference"))) -}}
{{- else -}}
{{- if $values.sqlite.enabled -}}
{{- /* Below the volume: its root is open to the pod's group, which a data directory must not be. */ -}}
{{- $_ := set $settings "DATA_DIR" "/data/cloudmeet" -}}
{{- else if $values.postgres.enabled -}}
{{- $_ := set $settings "POSTGRES_HOST" (include "cloudmeet.componentName" (list $root "postgres")) -}}
{{- $_ := set $settings "POSTGRES_USER" $values.postgres.auth.user -}}
{{- else if $values.externalPostgres.host -}}
{{- $_ := set $settings "POSTGRES_HOST" $values.externalPostgres.host -}}
{{- $_ := set $settings "POSTGRES_PORT" (int $values.externalPostgres.port | toString) -}}
{{- $_ := set $settings "POSTGRES_USER" $values.externalPostgres.user -}}
{{- $_ := set $settings "POSTGRES_DB" $values.externalPostgres.database -}}
{{- end -}}
{{- if and (not $values.redis.enabled) $values.externalRedis.host -}}
{{- $_ := set $settings "REDIS_HOST" $values.externalRedis.host -}}
{{- $_ := set $settings "REDIS_PORT" (int $values.externalRedis.port | toString) -}}
{{- $_ := set $settings "REDIS_DB" (int $values.externalRedis.database | toString) -}}
{{- end -}}
{{- end -}}
{{- toYaml $settings }}
{{- end }}

{{/* The least number of pods that a part has. Takes its values. */}}
{{- define "cloudmeet.minReplicas" -}}
{{- int (ternary .autoscaling.minReplicas .replicaCount .autoscaling.enabled) }}
{{- end }}

{{/* Spreads pods over nodes, counting those of one release of the Deployment. Takes the selector's labels. */}}
{{- define "cloudmeet.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]
  labelSelector:
    matchLabels:
      {{- . | nindent 6 }}
{{- end }}

{{/* Takes (list $ "component"). */}}
{{- define "cloudmeet.pdb" }}
{{- $root := index . 0 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "cloudmeet.componentName" . }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "cloudmeet.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $root.Values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "cloudmeet.selectorLabels" . | nindent 6 }}
{{- end }}

{{- define "cloudmeet.backendRef" -}}
- name: {{ include "cloudmeet.fullname" . }}
  port: {{ int .Values.service.port }}
{{- end }}

{{/* The images of Postgres and Redis have a user 999; the rest is as for ours. */}}
{{- define "cloudmeet.storeSecurityContext" -}}
{{- merge (dict "runAsUser" 999 "runAsGroup" 999 "fsGroup" 999) .Values.podSecurityContext | toYaml }}
{{- end }}

{{/* All that the operator may in the namespaces whose Rooms it keeps. */}}
{{- define "cloudmeet.operator.rules" -}}
- apiGroups: [cloudmeet.io]
  resources: [rooms]
  verbs: [list, watch, patch]
- apiGroups: [cloudmeet.io]
  resources: [rooms/status]
  verbs: [patch]
# Passwords of rooms.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "cloudmeet.operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "cloudmeet.operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
