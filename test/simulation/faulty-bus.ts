import type { Assignment, Bus, Delivery, Membership } from "../../shared/bus/bus.ts";
import type { WorkItem } from "../../shared/messages.ts";
import type { Node } from "./world.ts";

/** After so long the bus that announced a run notices that JetStream lost something. */
const AUDIT_MS = 5000;

/**
 * A bus as a process sees it over a network that delays, loses, doubles and is cut, on the promises of
 * shared/bus/bus.ts and no more: what NATS stores it delivers at least once, what isn't stored (beats, "working", hand-backs)
 * may be lost, and a delivery may get lost and come again.
 */
export function faultyBus(bus: Bus, node: Node): Bus {
	const { world } = node;
	const { random, noise } = world;
	/** Of what a server stores: tried again until it is. */
	const stored =
		<Args extends unknown[], Result>(send: (...args: Args) => Promise<Result>) =>
		async (...args: Args): Promise<Result> => {
			await node.travel("nats");
			return send(...args);
		};
	const follow = <Event>(watch: (signal: AbortSignal) => AsyncIterable<Event>) =>
		async function* (signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
			for await (const event of watch(signal)) {
				await node.travel("nats", signal);
				if (signal.aborted) return;
				yield event;
			}
		};
	return {
		timing: bus.timing,
		isLocal: bus.isLocal,
		join: stored(async (worker) => faultyMembership(await bus.join(worker), node)),
		watchWorkers: follow((signal) => bus.watchWorkers(signal)),
		listWorkers: () => bus.listWorkers(),
		listRuns: () => bus.listRuns(),
		report: (progress) => bus.report(progress),
		cancel: (runId) => bus.cancel(runId),
		watchCancels: (runId, signal) => bus.watchCancels(runId, signal),
		announce: stored((run) => bus.announce(run)),
		retire: stored((runId) => bus.retire(runId)),
		watchRuns: (signal) => followRegistry(bus.watchRuns(signal), node, signal),
		assign: stored(async (assignment) => {
			world.log(`${node.name}: gives shard ${assignment.shard} to ${assignment.workerId}`);
			await bus.assign(assignment);
		}),
		watchAssignments: (runId, signal) => watchAssignments(bus, node, runId, signal),
		publish: stored(async (item, answered) => {
			await bus.publish(item, answered);
			if (random.chance(noise.double / 4)) await bus.publish(item, answered);
		}),
		takeBack: stored(async (runId, shard) => {
			world.log(`${node.name}: takes back what is in hand of shard ${shard}`);
			await bus.takeBack(runId, shard);
		}),
		async isTaken(runId, shard) {
			await node.travel("nats");
			const isTaken = await bus.isTaken(runId, shard);
			await node.travel("nats");
			return random.chance(noise.lost) ? undefined : isTaken;
		},
		pull: (runId, shard, signal) => pull(bus, node, runId, shard, signal),
		close: () => bus.close(),
	};
}

/** The registry tells each change in order, when it gets to it. */
async function* followRegistry<Event>(
	events: AsyncIterable<Event>,
	node: Node,
	signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
	for await (const event of events) {
		await node.travel("nats", signal, node.world.noise.delayMs + node.world.noise.lagMs);
		if (signal.aborted) return;
		yield event;
	}
}

/** Where the registry is read anew, an older entry of a shard may come again before the last one; an entry may be missed. */
async function* watchAssignments(
	bus: Bus,
	node: Node,
	runId: string,
	signal: AbortSignal,
): AsyncGenerator<Assignment, void, undefined> {
	const { random, noise } = node.world;
	const last = new Map<number, Assignment>();
	for await (const assignment of followRegistry(bus.watchAssignments(runId, signal), node, signal)) {
		const { shard, workerId } = assignment;
		if (workerId === node.name && random.chance(noise.missed)) {
			node.world.log(`${node.name}: never hears that it has shard ${shard}`);
			continue;
		}
		const older = last.get(shard);
		last.set(shard, assignment);
		if (older && random.chance(noise.double)) yield older;
		yield assignment;
	}
}

function faultyMembership(membership: Membership, node: Node): Membership {
	const { random, noise } = node.world;
	return {
		async beat() {
			if (!node.isReachable("nats") || random.chance(noise.lost)) return;
			await membership.beat();
		},
		async leave() {
			if (node.isReachable("nats")) await membership.leave();
		},
	};
}

async function* pull(
	bus: Bus,
	node: Node,
	runId: string,
	shard: number,
	signal: AbortSignal,
): AsyncGenerator<Delivery, void, undefined> {
	const { world } = node;
	const { random, noise } = world;
	// The server forgets the pulls of a process that is gone.
	const end = new AbortController();
	signal.addEventListener("abort", () => end.abort());
	if (signal.aborted) end.abort();
	node.whenKilled(() => end.abort());
	for await (const delivery of bus.pull(runId, shard, end.signal)) {
		if (random.chance(noise.lost)) {
			world.log(`${node.name}: ${describe(delivery.item)} is lost on its way`);
			continue;
		}
		await node.travel("nats", signal);
		if (signal.aborted) {
			if (random.chance(0.5)) await delivery.nak();
			return;
		}
		const faulty = faultyDelivery(delivery, node);
		world.log(`${node.name}: has ${describe(delivery.item)}`);
		yield faulty;
		if (random.chance(noise.double) && !signal.aborted) yield { ...faulty, ack: async () => {} };
	}
	if (node.isDead) await new Promise(() => {});
}

function faultyDelivery({ item, ack, nak, working }: Delivery, node: Node): Delivery {
	const { random, noise, sleep } = { ...node.world, sleep: (ms: number) => node.world.sleep(ms) };
	/** Sent and forgotten. */
	const say = (what: () => Promise<void>) => async () => {
		if (!node.isReachable("nats") || random.chance(noise.lost)) return;
		void sleep(random.wait(noise.delayMs)).then(what);
	};
	return {
		item,
		async ack() {
			await node.travel("nats");
			if (!random.chance(noise.lost)) await ack();
		},
		nak: say(nak),
		working: say(working),
	};
}

/** A bus that loses items, and brings them back as the one over NATS does. */
export function forgetfulBus(bus: Bus, node: Node): Bus {
	const { world } = node;
	const { random, noise } = world;
	return {
		...bus,
		async publish(item, answered) {
			if (!random.chance(noise.lost)) {
				await bus.publish(item, answered);
				return;
			}
			world.log(`${node.name}: ${describe(item)} is lost`);
			const bringBack = () => {
				if (!answered.aborted) bus.publish(item, answered).catch(() => {});
			};
			node.clock.schedule(bringBack, AUDIT_MS);
		},
	};
}

/** An item in a trace. */
export function describe({ serial, kind, parameterVersion, shard }: WorkItem): string {
	const what = kind.slice("WORK_KIND_".length).toLowerCase();
	return `item ${serial}, ${what} of version ${parameterVersion}, shard ${shard}`;
}
