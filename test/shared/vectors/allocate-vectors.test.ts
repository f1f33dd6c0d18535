import test from "ava";
import { koffi } from "../../../shared/koffi.ts";
import { aliasOf, allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";

const address = () => 0n;
const sharedMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;

test("an alias is an ordinary buffer over the same zeros", (t) => {
	const shared = sharedMemory();
	const alias = aliasOf(shared, koffi);
	t.true(alias instanceof ArrayBuffer);
	const [one, other] = [new Uint8Array(shared), new Uint8Array(alias ?? new ArrayBuffer(0))];
	t.true(other.every((byte) => byte === 0));
	one[77] = 7;
	t.is(other[77], 7);
});

test("no alias is returned if the memory isn't the same or can't be aliased", (t) => {
	const copy = (_address: unknown, length: number) => new ArrayBuffer(length);
	const short = () => new ArrayBuffer(8);
	const refuse = () => {
		throw new Error("external buffers are not allowed");
	};
	for (const view of [copy, short, refuse]) t.is(aliasOf(sharedMemory(), { address, view }), undefined);
	t.is(aliasOf(sharedMemory(), undefined), undefined);
});

test("vectors too large for kernel memory are ordinary arrays of zeros", (t) => {
	// 4 GiB and 4 bytes; the system provides only the used pages.
	const [large, small] = allocateVectors(2 ** 30 + 1, 3);
	t.deepEqual([large.length, small.length], [2 ** 30 + 1, 3]);
	t.not(large.buffer, small.buffer);
});
