import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Assignment, Bus, Delivery, Membership } from "../../shared/bus/bus.ts";
import type { WorkItem } from "../../shared/messages.ts";
import type { Node } from "./world.ts";

/** Time after which the bus of a run notices that JetStream lost an item. */
const AUDIT_MS = 5000;

/**
 * A bus over a network that delays, loses and duplicates messages and can be cut. It keeps only the promises of
 * shared/bus/bus.ts: stored messages are delivered at least once; messages that aren't stored (heartbeats, "working",
 * "nak") may be lost; a delivery may get lost and be repeated.
 */
export function faultyBus(bus: Bus, node: Node): Bus {
	const { world } = node;
	const { random, noise } = world;
	/** Calls that are retried until the server has stored the message. */
	const stored =
		<Args extends unknown[], Result>(send: (...args: Args) => Promise<Result>) =>
		async (...args: Args): Promise<Result> => {
			await node.transfer("nats");
			return send(...args);
		};
	const follow = <Event>(watch: (signal: AbortSignal) => AsyncIterable<Event>) =>
		async function* (signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
			for await (const event of watch(signal)) {
				await node.transfer("nats", signal);
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
			world.log(`${node.name}: assigns shard ${assignment.shard} to ${assignment.workerId}`);
			await bus.assign(assignment);
		}),
		watchAssignments: (runId, signal) => watchAssignments(bus, node, runId, signal),
		publish: stored(async (item, answered) => {
			const acknowledged = acknowledgedAfter(answered, node);
			await bus.publish(item, acknowledged);
			if (random.chance(noise.duplicated / 4)) await bus.publish(item, acknowledged);
		}),
		takeBack: stored(async (runId, shard) => {
			world.log(`${node.name}: takes back the items of shard ${shard}`);
			await bus.takeBack(runId, shard);
		}),
		async isTaken(runId, shard) {
			await node.transfer("nats");
			const isTaken = await bus.isTaken(runId, shard);
			await node.transfer("nats");
			return random.chance(noise.lost) ? undefined : isTaken;
		},
		pull: (runId, shard, signal) => pull(bus, node, runId, shard, signal),
		publishUpdate(runId, parts) {
			if (parts[0]?.chunk?.data.length === 0) world.count("update without numbers");
			if (node.isReachable("nats")) bus.publishUpdate(runId, parts);
		},
		watchUpdates: (runId, signal) => watchUpdates(bus, node, runId, signal),
		close: () => bus.close(),
	};
}

/** Aborts when a coordinator's ack of an answered item has arrived; the ack may be lost. */
function acknowledgedAfter(answered: AbortSignal, { world }: Node): AbortSignal {
	const acknowledged = new AbortController();
	const send = () => {
		if (world.random.chance(world.noise.lost)) return;
		void world.sleep(world.random.wait(world.noise.delayMs)).then(() => acknowledged.abort());
	};
	answered.addEventListener("abort", send, { once: true });
	return acknowledged.signal;
}

/** Changes of the registry arrive in order, with a delay. */
async function* followRegistry<Event>(
	events: AsyncIterable<Event>,
	node: Node,
	signal: AbortSignal,
): AsyncGenerator<Event, void, undefined> {
	for await (const event of events) {
		await node.transfer("nats", signal, node.world.noise.delayMs + node.world.noise.lagMs);
		if (signal.aborted) return;
		yield event;
	}
}

/** When the registry is read again, an older entry of a shard may precede the last one; an entry may be missed. */
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
			node.world.log(`${node.name}: misses the assignment of shard ${shard}`);
			continue;
		}
		const older = last.get(shard);
		last.set(shard, assignment);
		if (older && random.chance(noise.duplicated)) yield older;
		yield assignment;
	}
}

/** Parts of updates are lost, repeated, late, and follow later ones. */
async function* watchUpdates(
	bus: Bus,
	node: Node,
	runId: string,
	signal: AbortSignal,
): AsyncGenerator<UpdatePart, void, undefined> {
	const { world } = node;
	const { random, noise } = world;
	const happens = (event: string, probability: number) => {
		const isSo = random.chance(probability);
		if (isSo) world.count(event);
		return isSo;
	};
	let held: UpdatePart[] = [];
	for await (const part of bus.watchUpdates(runId, signal)) {
		await node.transfer("nats", signal);
		if (signal.aborted) return;
		if (happens("part lost", noise.lost)) continue;
		const copies = happens("part repeated", noise.duplicated) ? [part, part] : [part];
		if (held.length === 0 && happens("part reordered", noise.duplicated)) held = copies;
		else {
			yield* copies;
			yield* held;
			held = [];
		}
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
	// The server drops the pulls of an ended process.
	const end = new AbortController();
	signal.addEventListener("abort", () => end.abort());
	if (signal.aborted) end.abort();
	node.whenKilled(() => end.abort());
	for await (const delivery of bus.pull(runId, shard, end.signal)) {
		if (random.chance(noise.lost)) {
			world.log(`${node.name}: ${describe(delivery.item)} is lost`);
			continue;
		}
		await node.transfer("nats", signal);
		if (signal.aborted) {
			if (random.chance(0.5)) await delivery.nak();
			return;
		}
		const faulty = faultyDelivery(delivery, node);
		world.log(`${node.name}: has ${describe(delivery.item)}`);
		yield faulty;
		if (random.chance(noise.duplicated) && !signal.aborted) yield { ...faulty, ack: async () => {} };
	}
	if (node.isDead) await new Promise(() => {});
}

function faultyDelivery({ item, ack, nak, working }: Delivery, node: Node): Delivery {
	const { random, noise, sleep } = { ...node.world, sleep: (ms: number) => node.world.sleep(ms) };
	/** Sends a message that may be lost, without waiting. */
	const send = (what: () => Promise<void>) => async () => {
		if (!node.isReachable("nats") || random.chance(noise.lost)) return;
		void sleep(random.wait(noise.delayMs)).then(what);
	};
	return {
		item,
		async ack() {
			await node.transfer("nats");
			if (!random.chance(noise.lost)) await ack();
		},
		nak: send(nak),
		working: send(working),
		requestNext: () => {},
	};
}

/** A bus that loses published items, and publishes them again later like the bus over NATS. */
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
			const publishAgain = () => {
				if (!answered.aborted) bus.publish(item, answered).catch(() => {});
			};
			node.clock.schedule(publishAgain, AUDIT_MS);
		},
	};
}

/** Describes an item for a trace. */
export function describe({ serial, kind, parameterVersion, shard }: WorkItem): string {
	const what = kind.slice("WORK_KIND_".length).toLowerCase();
	return `item ${serial}, ${what} of version ${parameterVersion}, shard ${shard}`;
}
