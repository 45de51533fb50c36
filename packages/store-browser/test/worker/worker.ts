// worker.ts, bundled as /worker.js: a shared worker, one for all tabs.
import { createTokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';

const tokenEndpoint = 'https://id.example.com/token';
const tokens = createTokenSource({
  origins: ['https://api.example.com'],
  refresh: refreshTokenGrant({ tokenEndpoint, clientId: 'page' }),
});
const authFetch = fetchAuth(tokens);

async function signIn(form: Record<string, string>): Promise<object> {
  const response = await fetch(tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) });
  await tokens.signIn(await response.json());
  return {};
}

async function send(url: string, init: RequestInit): Promise<object> {
  const response = await authFetch(url, init);
  return { status: response.status, headers: [...response.headers], body: await response.arrayBuffer() };
}

addEventListener('connect', (event) => {
  (event as MessageEvent).ports[0]!.onmessage = async ({ data, ports: [answer] }) => {
    const running: Promise<object> = data.form ? signIn(data.form) : send(data.url, data.init);
    answer!.postMessage(
      await running.catch(({ code, message }: Error & { code?: string }) => ({ error: { code, message } })),
    );
  };
});
