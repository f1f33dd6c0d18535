import test from "ava";
import fc from "fast-check";
import { checksumOf, RunningChecksum } from "../../../shared/files/checksum.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

test("checksums are XXH64 with seed 0", (t) => {
	// From the reference implementation (xxhsum 0.8).
	t.is(checksumOf(bytesOf("")).toString("hex"), "ef46db3751d8e999");
	t.is(checksumOf(bytesOf("abc")).toString("hex"), "44bc2cf5ad770999");
});

test("pieces have the checksum of the whole, also if several checksums are computed in turn", (t) => {
	fc.assert(
		fc.property(fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 100 }))), (pieces) => {
			const sums = [new RunningChecksum(), new RunningChecksum()] as const;
			for (const [isFirst, bytes] of pieces) sums[isFirst ? 0 : 1].update(bytes);
			for (const [index, sum] of sums.entries()) {
				const own = pieces.filter(([isFirst]) => isFirst === (index === 0)).map(([, bytes]) => bytes);
				t.is(sum.digest(), checksumOf(Buffer.concat(own)).toString("hex"));
			}
		}),
	);
});
