import { Socket } from 'node:net';

// Runs in a thread of its own: the main one may be halted in the native module, by a bus that is silent.

/** What was begun is finished, but a keyring that asks for its password is not waited for. */
const FINISH_MS = 1000;

function end(): void {
  // Not `exit`, which waits for the keyring.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), FINISH_MS);
}

// The other end of standard input is the owner's alone.
new Socket({ fd: 0 }).on('close', end).resume();
