/** Half of the seeds; the first half lies beside it, so that two processes share them. */
import { test } from "node:test";
import { runHalf } from "./seeds.ts";

test("whole nodes agree, lose nothing, decide every read and prove every refusal, whatever fails: seeds 151 to 300", (context) =>
  runHalf(context, 151));
