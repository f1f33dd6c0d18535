import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const context = new AsyncLocalStorage<ClientSockets>();

// Node's diagnostics channel for each new TCP socket.
subscribe("net.client.socket", (message) => {
	context.getStore()?.add((message as { socket: Socket }).socket);
});

/**
 * The TCP sockets of one client. The libraries for NATS and gRPC leave a socket open if the server accepts it and sends
 * nothing, like a stopped process, or if the server can't be reached. Such sockets would accumulate and keep the
 * process alive.
 */
export class ClientSockets {
	readonly #silent = new Set<Socket>();
	readonly #limitMs: number;

	/** @param limitMs milliseconds after which a socket without a byte from the server is closed */
	constructor(limitMs: number) {
		this.#limitMs = limitMs;
	}

	/** Runs a function that uses the library; all sockets that it opens, also later, belong to this object. */
	run<T>(action: () => T): T {
		return context.run(this, action);
	}

	/** Closes the sockets on which the server has sent nothing so far. */
	destroySilent(): void {
		for (const socket of this.#silent) this.#check(socket);
	}

	add(socket: Socket): void {
		this.#silent.add(socket);
		setTimeout(() => this.#check(socket), this.#limitMs).unref();
	}

	#check(socket: Socket): void {
		this.#silent.delete(socket);
		if (socket.bytesRead === 0) socket.destroy();
	}
}
