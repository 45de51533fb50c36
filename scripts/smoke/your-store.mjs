// What the README of @unexpired/testing calls your store: processes share it.
import { join } from 'node:path';
import { createFileStore } from '@unexpired/store-file';

export default ({ folder }) => createFileStore({ path: join(folder, 'credentials.json') });
