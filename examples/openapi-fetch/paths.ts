/** What openapi-typescript makes of an API's description. */
export interface paths {
  '/reports': {
    get: {
      responses: { 200: { content: { 'application/json': { reports: string[] } } } };
    };
    post: {
      requestBody: { content: { 'application/json': { title: string } } };
      responses: { 200: { content: { 'application/json': { reports: string[] } } } };
    };
  };
}
