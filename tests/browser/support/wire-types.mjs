/**
 * Writes the types of what crosses the wire, made from `api-server/openapi.json`, to standard output.
 *
 *     make generate
 */

import { readFile } from "node:fs/promises";

import { compile } from "json-schema-to-typescript";

const BANNER = "// Made from api-server/openapi.json by `make generate`: not to be changed by hand.";

const description = JSON.parse(await readFile(new URL("../../../api-server/openapi.json", import.meta.url), "utf8"));
const schemas = JSON.parse(JSON.stringify(description.components.schemas).replaceAll("#/components/schemas/", "#/definitions/"));
const definitions = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withVariantsApart(schema)]));
const types = await compile({ title: "Wire", type: "object", definitions }, "Wire", {
  additionalProperties: false,
  bannerComment: BANNER,
  unreachableDefinitions: true,
});
process.stdout.write(types);

/** Of members beside variants the compiler would keep the variants alone. */
function withVariantsApart({ oneOf, properties, required, ...rest }) {
  if (!oneOf || !properties) {
    return { ...rest, ...(oneOf && { oneOf }), ...(properties && { properties }), ...(required && { required }) };
  }
  return { description: rest.description, allOf: [{ type: "object", properties, required }, { oneOf }] };
}
