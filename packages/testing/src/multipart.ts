/** One part of a multipart body. */
export interface MultipartPart {
  /** Of the form field. */
  readonly name: string | undefined;
  readonly filename: string | undefined;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /^multipart\/[^;]+;.*?boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Error(`The Content-Type names no multipart boundary: ${contentType}`);
  return boundary;
}

function parsePart(part: string): MultipartPart {
  const end = part.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('A part of the multipart body has no end of its headers.');
  // Bytes went through Latin-1 unharmed; header text is UTF-8.
  const lines = Buffer.from(part.slice(0, end), 'latin1').toString().split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = '', value = ''] = line.split(/:\s*(.*)/s);
      return [name.toLowerCase(), value];
    }),
  );
  const disposition = headers['content-disposition'] ?? '';
  return {
    name: /\bname="([^"]*)"/.exec(disposition)?.[1],
    filename: /\bfilename="([^"]*)"/.exec(disposition)?.[1],
    headers,
    body: Buffer.from(part.slice(end + 4), 'latin1'),
  };
}

/**
 * The parts of a multipart request, without the boundary, so that two attempts can be compared. Throws where the body
 * is not made with the boundary that the Content-Type names, or stops before the last one.
 */
export function multipartParts(request: {
  readonly headers: { readonly 'content-type'?: string | undefined };
  readonly body: Buffer;
}): MultipartPart[] {
  const delimiter = `--${boundaryOf(request.headers['content-type'] ?? '')}`;
  const [preamble, ...rest] = `\r\n${request.body.toString('latin1')}`.split(`\r\n${delimiter}`);
  const last = rest.pop();
  if (preamble !== '' || last === undefined)
    throw new Error(`The body does not begin with the boundary ${delimiter}.`);
  if (!/^--(\r\n)?$/.test(last)) throw new Error(`The body does not end with the boundary ${delimiter}--.`);
  return rest.map((part) => parsePart(part.replace(/^\r\n/, '')));
}
