import { TailtuneError } from "../../shared/errors.ts";
import { type NatsServer, type NatsServerOptions, startNatsServer } from "./nats-server.ts";

/** So many times a server that died is started again; the bus brings back what it lost. */
const RESTARTS = 3;

interface Listeners {
	/** Told of a server that died and is started again. */
	readonly tell: (line: string) => void;
	/** Told when it is not started again. */
	readonly fail: (error: Error) => void;
}

/** A nats-server for one run, started again if it dies. */
export class LocalServer {
	readonly #options: NatsServerOptions;
	readonly #listeners: Listeners;
	#server: NatsServer;
	#isEnding = false;
	/** Settles when no server is started any more. */
	readonly #kept: Promise<void>;

	/** @throws TailtuneError "engine" if it doesn't start */
	static async start(options: NatsServerOptions, listeners: Listeners): Promise<LocalServer> {
		return new LocalServer(options, listeners, await startNatsServer(options));
	}

	private constructor(options: NatsServerOptions, listeners: Listeners, server: NatsServer) {
		this.#options = options;
		this.#listeners = listeners;
		this.#server = server;
		this.#kept = this.#keep().catch((error) => {
			if (!this.#isEnding) listeners.fail(error);
		});
	}

	/** The same after a restart. */
	get url(): string {
		return this.#server.url;
	}

	/** Ends it; one that is just being started, too. */
	async stop(): Promise<void> {
		this.#isEnding = true;
		await this.#server.stop();
		await this.#kept;
	}

	async #keep(): Promise<void> {
		for (let restarts = 0; restarts < RESTARTS; restarts++) {
			await this.#server.ended;
			if (this.#isEnding) return;
			this.#listeners.tell("nats-server died; starting another");
			const { port } = this.#server;
			this.#server = await startNatsServer({ ...this.#options, port });
			if (this.#isEnding) return this.#server.stop();
		}
		await this.#server.ended;
		if (!this.#isEnding) throw new TailtuneError("engine", `nats-server died ${RESTARTS + 1} times`);
	}
}
