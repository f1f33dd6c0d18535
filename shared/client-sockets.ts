import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const context = new AsyncLocalStorage<ClientSockets>();

// Node's own channel for each TCP socket that is made.
subscribe("net.client.socket", (message) => {
	context.getStore()?.add((message as { socket: Socket }).socket);
});

/**
 * The TCP sockets of one client. The libraries for NATS and gRPC leave a socket open if the server accepts it and then says
 * nothing, as a stopped one does, or if the server can't be reached; such sockets would add up, and keep the process alive.
 */
export class ClientSockets {
	readonly #silent = new Set<Socket>();
	readonly #limitMs: number;

	/** @param limitMs a socket on which the server says nothing for so long is closed */
	constructor(limitMs: number) {
		this.#limitMs = limitMs;
	}

	/** Runs something with the library; all sockets that it makes, also later, belong to this. */
	run<T>(action: () => T): T {
		return context.run(this, action);
	}

	/** Closes those on which the server has said nothing so far. */
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
