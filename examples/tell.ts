export function tell(line: string): void {
  console.log(`  ${line}`);
}
