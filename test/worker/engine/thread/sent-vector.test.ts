import test from "ava";
import { allocateVectors } from "../../../../shared/vectors/allocate-vectors.ts";
import { VectorReceiver, VectorSender } from "../../../../worker/engine/thread/sent-vector.ts";

/** Sends a vector as to a thread, which gets another object for the same memory. */
function send(sender: VectorSender, vector: Float32Array) {
	const placed = sender.place(vector);
	const message = sender.toMessage(placed.shared);
	return { ...placed, message, sent: structuredClone(message) };
}

test("a vector of kernel memory is received as an ordinary array over the same numbers, and its memory is sent once", (t) => {
	const [sender, receiver] = [new VectorSender(), new VectorReceiver()];
	const [first, second] = allocateVectors(5, 7);
	first.fill(1);
	const one = send(sender, first);
	t.true(one.isInPlace);
	const received = receiver.receive(one.sent);
	t.true(received.buffer instanceof ArrayBuffer);
	received[2] = 9;
	t.deepEqual([...first], [1, 1, 9, 1, 1]);
	const other = send(sender, second);
	t.is(other.message.memory, undefined);
	receiver.receive(other.sent).fill(4);
	t.deepEqual([...second], Array(7).fill(4));
});

test("an ordinary vector gets memory of the sender, which is used again for shorter ones", async (t) => {
	const [sender, receiver] = [new VectorSender(), new VectorReceiver()];
	for (const [length, isSent] of [
		[4, true],
		[3, false],
		[4, false],
		[6, true],
	] as const) {
		const { shared, isInPlace, message, sent } = send(sender, new Float32Array(length));
		t.deepEqual([isInPlace, message.memory !== undefined], [false, isSent]);
		t.is(await receiver.fill(sent, async (vector) => vector.fill(length).length), length);
		t.deepEqual([...shared], Array(length).fill(length));
	}
});

test("without koffi a vector is received in shared memory, and filled through an ordinary array", async (t) => {
	const [sender, receiver] = [new VectorSender(), new VectorReceiver(() => undefined)];
	const { shared, sent } = send(sender, new Float32Array(3));
	t.true(receiver.receive(sent).buffer instanceof SharedArrayBuffer);
	await receiver.fill(sent, async (vector) => {
		t.true(vector.buffer instanceof ArrayBuffer);
		vector.set([1, 2, 3]);
	});
	t.deepEqual([...shared], [1, 2, 3]);
});
