// What is in a picture, as a browser decodes it.

import type { Page } from 'playwright-core';

/** How many different colours a PNG has. */
export async function coloursIn(page: Page, png: Buffer): Promise<number> {
  return page.evaluate(
    async (address) => {
      const image = await createImageBitmap(await (await fetch(address)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      return new Set(new Uint32Array(data.buffer)).size;
    },
    `data:image/png;base64,${png.toString('base64')}`,
  );
}
