import type { FakeRegistry } from "../fakes/registry.ts";

const parsed = (bytes: Buffer | undefined) => JSON.parse(bytes?.toString() ?? "null");

/** Of the tags that anybody looks for, those that name something which is not whole, or was made of something else than the base. */
export function unsound(registry: FakeRegistry): readonly string[] {
  const base = registry.digest("base/os", "1")?.slice("sha256:".length);
  const materials = `"materials":[{"uri":"pkg:docker/base@1","digest":{"sha256":"${base}"}}]`;
  return registry
    .tags("team/app")
    .filter((tag) => !tag.startsWith("tmp-"))
    .filter((tag) => {
      const { manifests = [] } = parsed(registry.manifest("team/app", tag));
      const all = manifests.map(({ digest }: { digest: string }) => parsed(registry.manifest("team/app", digest)));
      if (all.length < 2 || all.includes(null)) return true;
      const blobs = all.flatMap(({ config, layers }: { config: object; layers: object[] }) => [config, ...layers]);
      const texts = blobs.map(({ digest }: { digest: string }) => registry.blob("team/app", digest)?.toString());
      return texts.includes(undefined) || !texts.join("\n").includes(materials);
    });
}
