// Runs in a page, by itself.

/** Texts that do not stand out from what is behind them (WCAG 2.2, 1.4.3). */
export function faintTexts(): string[] {
  const numbers = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
  function luminance(color: string): number {
    const [red = 0, green = 0, blue = 0] = numbers(color).map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function behind(element: Element): string {
    const { backgroundColor } = getComputedStyle(element);
    const isClear = numbers(backgroundColor)[3] === 0;
    return isClear && element.parentElement !== null ? behind(element.parentElement) : backgroundColor;
  }
  return [...document.body.querySelectorAll('*')].flatMap((element) => {
    const text = [...element.childNodes].find(({ nodeType, data = '' }: Node & { data?: string }) => {
      return nodeType === Node.TEXT_NODE && data.trim() !== '';
    });
    if (text === undefined) return [];
    const [dark = 0, light = 0] = [getComputedStyle(element).color, behind(element)]
      .map(luminance)
      .sort((one, other) => one - other);
    const ratio = (light + 0.05) / (dark + 0.05);
    return ratio < 4.5 ? [`${text.textContent?.trim()}: ${ratio.toFixed(1)}`] : [];
  });
}
