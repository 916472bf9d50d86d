/** A sentence from a message file with its `{facts}` filled in; a fact that is missing stays visible as `{name}`. */
export const fillMessage = (template: string, facts: Readonly<Record<string, string | number>> = {}): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(facts, name) ? String(facts[name]) : whole));
