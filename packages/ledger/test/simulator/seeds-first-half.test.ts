/** Half of the seeds; the second half lies beside it, so that two processes share them. */
import { test } from "node:test";
import { runHalf } from "./seeds.ts";

test("whole nodes agree, lose nothing, decide every read and prove every refusal, whatever fails: seeds 1 to 150", (context) =>
  runHalf(context, 1));
