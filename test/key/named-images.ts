import { type Content, put } from "../checkout.ts";
import type { Before } from "./around.ts";

// Checkouts that name one image, and the edit from one to another.

export type Files = Readonly<Record<string, Content>>;

export const built = (dockerfile: string, args?: Readonly<Record<string, string>>): Files => ({
  ".devcontainer/devcontainer.json": JSON.stringify({ build: { dockerfile: "Dockerfile", args } }),
  ".devcontainer/Dockerfile": `${dockerfile}\n`,
});
export const image = (name: string): Files => ({ ".devcontainer/devcontainer.json": JSON.stringify({ image: name }) });
export const service = (name: string): Files => ({
  ".devcontainer/devcontainer.json": '{ "dockerComposeFile": "compose.yml", "service": "app" }\n',
  ".devcontainer/compose.yml": `services: { app: { image: "${name}" } }\n`,
});

/** What `movedBy` takes: files over a checkout, in a world with these images. */
export const openAround =
  (images: NonNullable<Before["images"]>) =>
  (from: Files, to: Files, more: Partial<Before> = {}) => {
    const edit = (root: string): void => {
      for (const [path, content] of Object.entries(to)) put(root, path, content);
    };
    return [
      { name: "", from, edit },
      { files: {}, images, ...more },
    ] as const;
  };
