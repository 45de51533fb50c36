/** What a person does with a browser: opens the page, confirms the code and signs in, or stops there. */
export async function visit(verificationUrl: string, choice: 'confirm' | 'abort'): Promise<string> {
  const browser = createBrowser();
  const form = await browser.open(verificationUrl);
  const fields = [...form.matchAll(/name="(xsrf|user_code)" value="([^"]+)"/g)].map(([, name, value]) => [
    name!,
    value!,
  ]);
  const action = new URL(verificationUrl);
  action.search = '';
  return browser.open(action.href, new URLSearchParams([...fields, [choice, 'yes']]));
}

function createBrowser(): { open: (url: string, form?: URLSearchParams) => Promise<string> } {
  const cookies = new Map<string, string>();

  async function open(url: string, form?: URLSearchParams): Promise<string> {
    const headers = { Cookie: [...cookies].map((pair) => pair.join('=')).join('; ') };
    const response = await fetch(url, {
      headers,
      redirect: 'manual',
      ...(form && { method: 'POST', body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      cookies.set(name!, value!);
    }
    const location = response.headers.get('location');
    const text = await response.text();
    if (location !== null) return open(new URL(location, url).href);
    if (!response.ok) throw new Error(`${url} was answered ${response.status}: ${text}`);
    return text;
  }
  return { open };
}
