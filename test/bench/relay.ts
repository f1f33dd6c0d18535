import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What is between two hosts; each connection has one of its own. */
export interface Cable {
	readonly delayMs: number;
	readonly bytesPerSecond: number;
}

/** A port that forwards to another one, and counts. */
export interface Relay {
	readonly port: number;
	/** Payload of all connections so far, without the headers of TCP and IP. */
	readonly bytes: { fromTarget: number; toTarget: number };
	close(): void;
}

/** Bytes on their way at which the sender is made to wait, as a router's queue would. */
const QUEUE_BYTES = 1_500_000;

/** Forwards 127.0.0.1 to a port of it. @param cable as slow as that; default: as fast as it goes */
export async function openRelay(target: number, cable?: Cable): Promise<Relay> {
	const bytes = { fromTarget: 0, toTarget: 0 };
	const sockets = new Set<Socket>();
	const server = createServer((near) => {
		const far = connect(target, "127.0.0.1");
		for (const socket of [near, far]) {
			sockets.add(socket.setNoDelay());
			socket.on("error", () => {}); // its close ends the other one too
		}
		forward(near, far, cable, (count) => {
			bytes.toTarget += count;
		});
		forward(far, near, cable, (count) => {
			bytes.fromTarget += count;
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const close = () => {
		server.close();
		for (const socket of sockets) socket.destroy();
	};
	return { port: (server.address() as AddressInfo).port, bytes, close };
}

function forward(from: Socket, to: Socket, cable: Cable | undefined, count: (bytes: number) => void): void {
	from.on("close", () => to.destroy());
	if (!cable) {
		from.on("data", (chunk) => count(chunk.length));
		from.pipe(to);
		return;
	}
	let isFreeAt = 0;
	let underWay = 0;
	// Written in their order, whichever timer goes off first.
	const chunks: Buffer[] = [];
	from.on("data", (chunk: Buffer) => {
		chunks.push(chunk);
		count(chunk.length);
		const now = performance.now();
		isFreeAt = Math.max(now, isFreeAt) + (1000 * chunk.length) / cable.bytesPerSecond;
		underWay += chunk.length;
		if (underWay > QUEUE_BYTES) from.pause();
		setTimeout(
			() => {
				const next = chunks.shift() ?? Buffer.alloc(0);
				to.write(next);
				underWay -= next.length;
				if (underWay <= QUEUE_BYTES) from.resume();
			},
			isFreeAt - now + cable.delayMs,
		);
	});
}
