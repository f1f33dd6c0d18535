import test from "ava";
import { describePlatform } from "../../../coordinator/cli/check-machine.ts";

test("doctor says if the tests don't run on a platform", (t) => {
	t.is(describePlatform("linux", "x64"), "linux x64");
	t.is(describePlatform("win32", "x64"), "win32 x64 (not tested: the tests run on linux x64)");
	t.is(describePlatform("linux", "arm64"), "linux arm64 (not tested: the tests run on linux x64)");
});
