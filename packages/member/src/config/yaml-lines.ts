/** Lines of a configuration file in YAML. */

/** Text in YAML is quoted as in JSON: nothing in it is taken for something else. */
export const quoted = (value: string | number | boolean): string => JSON.stringify(value);

/** A key that may be absent: then an example stands there as a comment. */
export const choice = (key: string, value: string | undefined, example: string, indent = "  "): string[] => [
  value === undefined ? `${indent}# ${key}: ${example}` : `${indent}${key}: ${value}`,
];

/** A list, one item a line; an empty one on its own. */
export const listed = (indent: string, key: string, items: readonly string[]): string[] =>
  items.length === 0 ? [`${indent}${key}: []`] : [`${indent}${key}:`, ...items.map((item) => `${indent}  - ${item}`)];
