import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { CONNECT_MS } from "./config.ts";

const context = new AsyncLocalStorage<NatsSockets>();

// Node's own channel for each TCP socket that is made.
subscribe("net.client.socket", (message) => {
	context.getStore()?.add((message as { socket: Socket }).socket);
});

/**
 * The sockets of one NATS connection. The client library leaves a socket open if the server accepts it and then says
 * nothing, as a stopped one does; such sockets would add up, and keep the process alive.
 */
export class NatsSockets {
	readonly #silent = new Set<Socket>();

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
		setTimeout(() => this.#check(socket), CONNECT_MS).unref();
	}

	#check(socket: Socket): void {
		this.#silent.delete(socket);
		if (socket.bytesRead === 0) socket.destroy();
	}
}
