import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { ExecutionContext } from "ava";

/** A gRPC call on a plain HTTP/2 stream, which can break the rules that gRPC clients follow. */
export interface RawCall {
	readonly stream: ClientHttp2Stream;
	/** gRPC status and message at the end of the call; the status is undefined if the call ended without one. */
	readonly ended: Promise<{ readonly status: number | undefined; readonly text: string }>;
}

/** Opens a connection for raw calls; it is closed after the test. */
export function rawConnection(t: ExecutionContext, address: string): ClientHttp2Session {
	const session = http2.connect(`http://${address}`, { maxSessionMemory: 1000 });
	session.on("error", () => {});
	t.teardown(() => session.destroy());
	return session;
}

/** Begins a call by sending only its headers. */
export function rawCall(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}): RawCall {
	const own = { ":method": "POST", ":path": path, te: "trailers", "content-type": "application/grpc" };
	const stream = session.request({ ...own, ...headers });
	let status: number | undefined;
	let text = "";
	const readStatus = (found: Record<string, unknown>) => {
		if (found["grpc-status"] === undefined) return;
		status = Number(found["grpc-status"]);
		text = decodeURI(String(found["grpc-message"] ?? ""));
	};
	stream.on("response", readStatus).on("trailers", readStatus);
	stream.on("error", () => {});
	const ended = new Promise<{ status: number | undefined; text: string }>((resolve) => {
		stream.once("close", () => resolve({ status, text }));
	});
	stream.resume();
	return { stream, ended };
}

/** Frames a message for gRPC. @param announced length in the frame's header, if it differs */
export function framed(message: Buffer, announced = message.length): Buffer {
	const head = Buffer.alloc(5);
	head.writeUInt32BE(announced, 1);
	return Buffer.concat([head, message]);
}
