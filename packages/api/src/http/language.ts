/** The language of an answer. Source: RFC 9110 section 12.5.4; design.md (every error exists in zh-CN and English). */
export type Language = "zh-CN" | "en";

/** The first of the two languages that `Accept-Language` prefers; zh-CN if it names neither. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const ranges = (acceptLanguage ?? "").split(",").map((range) => {
    const [tag, ...parameters] = range.trim().toLowerCase().split(";");
    const quality = parameters
      .map((parameter) => /^\s*q=([01](?:\.\d{1,3})?)\s*$/.exec(parameter)?.[1])
      .find((q) => q !== undefined);
    return { tag: tag ?? "", quality: quality === undefined ? 1 : Number(quality) };
  });
  ranges.sort((a, b) => b.quality - a.quality);
  for (const { tag, quality } of ranges) {
    if (quality === 0) continue;
    if (tag === "en" || tag.startsWith("en-")) return "en";
    if (tag === "zh" || tag.startsWith("zh-")) return "zh-CN";
  }
  return "zh-CN";
}
