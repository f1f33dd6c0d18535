import test from "ava";
import { koffi } from "../../../shared/koffi.ts";
import { aliasOf, allocateVectors, sharedViewOf } from "../../../shared/vectors/allocate-vectors.ts";

const address = () => 0n;
const sharedMemory = () =>
	new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer as ArrayBufferLike as SharedArrayBuffer;

test("an alias is an ordinary buffer over the same zeros", (t) => {
	const shared = sharedMemory();
	const alias = aliasOf(shared, koffi);
	t.true(alias instanceof ArrayBuffer);
	const [one, other] = [new Uint8Array(shared), new Uint8Array(alias ?? new ArrayBuffer(0))];
	t.true(other.every((byte) => byte === 0));
	one[77] = 7;
	t.is(other[77], 7);
});

test("an alias of memory in use leaves its numbers alone", (t) => {
	const bytes = new Uint8Array(sharedMemory()).fill(9);
	t.true(aliasOf(bytes.buffer, koffi) instanceof ArrayBuffer);
	t.true(bytes.every((byte) => byte === 9));
});

test("a vector's view in shared memory has the same numbers; vectors of other memory have none", (t) => {
	const [, vector] = allocateVectors(3, 5);
	const shared = sharedViewOf(vector);
	t.true(shared?.buffer instanceof SharedArrayBuffer);
	vector.set([1, 2, 3, 4, 5]);
	t.deepEqual([...(shared ?? [])], [1, 2, 3, 4, 5]);
	const view = new Float32Array(new SharedArrayBuffer(12), 4, 2);
	t.deepEqual(sharedViewOf(view), view);
	t.is(sharedViewOf(new Float32Array(3)), undefined);
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
