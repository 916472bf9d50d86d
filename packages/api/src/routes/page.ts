/** The page that a query asks for. Source: design.md, "Read model". */
import { DEFAULT_PAGE_ROWS, type PageRequest } from "@xinglin/index";

export const pageOf = ({ before, limit = DEFAULT_PAGE_ROWS }: { before?: number; limit?: number }): PageRequest =>
  before === undefined ? { limit } : { limit, before };
