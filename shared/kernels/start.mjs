// A thread's own loader, whatever the flags of the process: a thread doesn't take over what was registered elsewhere.
import { register } from "tsx/esm/api";

register();
await import("./kernel-thread.ts");
