import test from "ava";
import { garbagePercent } from "../../../shared/exchange/garbage-limit.ts";

test("garbage of 64 MiB is collected, whatever the size of a small heap; for a large heap V8 decides", (t) => {
	const MIB = 2 ** 20;
	t.deepEqual(
		[16, 32, 64, 128].map((heap) => garbagePercent(heap * MIB)),
		[400, 200, 100, 50],
	);
	t.deepEqual(
		[129, 1000].map((heap) => garbagePercent(heap * MIB)),
		[0, 0],
	);
});
