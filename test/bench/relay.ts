import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Delay and rate of a simulated link, for each connection separately. */
export interface Link {
	readonly delayMs: number;
	readonly bytesPerSecond: number;
}

/** A port that forwards to another port and counts bytes. */
export interface Relay {
	readonly port: number;
	/** Payload of all connections so far, without the headers of TCP and IP. */
	readonly bytes: { fromTarget: number; toTarget: number };
	close(): void;
}

/** Bytes in transit above which the sender has to wait, like the queue of a router. */
const QUEUE_BYTES = 1_500_000;

/** Opens a port on 127.0.0.1 that forwards to `target`. @param link default: no delay, unlimited rate */
export async function openRelay(target: number, link?: Link): Promise<Relay> {
	const bytes = { fromTarget: 0, toTarget: 0 };
	const sockets = new Set<Socket>();
	const server = createServer((near) => {
		const far = connect(target, "127.0.0.1");
		for (const socket of [near, far]) {
			sockets.add(socket.setNoDelay());
			socket.on("error", () => {}); // "close" follows and ends the other socket too
		}
		forward(near, far, link, (count) => {
			bytes.toTarget += count;
		});
		forward(far, near, link, (count) => {
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

function forward(from: Socket, to: Socket, link: Link | undefined, count: (bytes: number) => void): void {
	from.on("close", () => to.destroy());
	if (!link) {
		from.on("data", (chunk) => count(chunk.length));
		from.pipe(to);
		return;
	}
	let isFreeAt = 0;
	let inTransit = 0;
	// Keeps the order of the chunks even if their timers fire in another order.
	const chunks: Buffer[] = [];
	from.on("data", (chunk: Buffer) => {
		chunks.push(chunk);
		count(chunk.length);
		const now = performance.now();
		isFreeAt = Math.max(now, isFreeAt) + (1000 * chunk.length) / link.bytesPerSecond;
		inTransit += chunk.length;
		if (inTransit > QUEUE_BYTES) from.pause();
		setTimeout(
			() => {
				const next = chunks.shift() ?? Buffer.alloc(0);
				to.write(next);
				inTransit -= next.length;
				if (inTransit <= QUEUE_BYTES) from.resume();
			},
			isFreeAt - now + link.delayMs,
		);
	});
}
