// page.ts: no token ever comes here.
const worker = new SharedWorker('/worker.js', { type: 'module' });

type Answer = { status: number; headers: [string, string][]; body: ArrayBuffer };

function ask(message: object): Promise<Answer> {
  const { port1, port2 } = new MessageChannel();
  worker.port.postMessage(message, [port2]);
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) => {
      port1.close();
      if (data.error) reject(Object.assign(new Error(data.error.message), data.error));
      else resolve(data);
    };
  });
}

/** `form` is the token request that the sign-in page's code is exchanged with. */
export async function signIn(form: Record<string, string>): Promise<void> {
  await ask({ form });
}

export async function authFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const { status, headers, body } = await ask({ url, init });
  return new Response(body.byteLength > 0 ? body : null, { status, headers });
}
