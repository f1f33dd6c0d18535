import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { ExecutionContext } from "ava";

/** A call of gRPC made by hand, so that it may leave out whatever a client would never leave out. */
export interface RawCall {
	readonly stream: ClientHttp2Stream;
	/** gRPC's status and text when the call is over; the status is undefined if it ended without one. */
	readonly ended: Promise<{ readonly status: number | undefined; readonly text: string }>;
}

/** A connection for raw calls; it is cut with the test. */
export function rawConnection(t: ExecutionContext, address: string): ClientHttp2Session {
	const session = http2.connect(`http://${address}`, { maxSessionMemory: 1000 });
	session.on("error", () => {});
	t.teardown(() => session.destroy());
	return session;
}

/** Begins a call; nothing is sent but its headers. */
export function rawCall(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}): RawCall {
	const own = { ":method": "POST", ":path": path, te: "trailers", "content-type": "application/grpc" };
	const stream = session.request({ ...own, ...headers });
	let status: number | undefined;
	let text = "";
	const note = (found: Record<string, unknown>) => {
		if (found["grpc-status"] === undefined) return;
		status = Number(found["grpc-status"]);
		text = decodeURI(String(found["grpc-message"] ?? ""));
	};
	stream.on("response", note).on("trailers", note);
	stream.on("error", () => {});
	const ended = new Promise<{ status: number | undefined; text: string }>((resolve) => {
		stream.once("close", () => resolve({ status, text }));
	});
	stream.resume();
	return { stream, ended };
}

/** A message as gRPC frames it. @param announced its length, where less of it is sent than that */
export function framed(message: Buffer, announced = message.length): Buffer {
	const head = Buffer.alloc(5);
	head.writeUInt32BE(announced, 1);
	return Buffer.concat([head, message]);
}
