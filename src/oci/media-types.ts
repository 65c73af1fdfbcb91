/** https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md and https://distribution.github.io/distribution/spec/manifest-v2-2/ */
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
export const OCI_EMPTY = "application/vnd.oci.empty.v1+json";
/** https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md; BuildKit stores statements bare under this type. */
export const IN_TOTO = "application/vnd.in-toto+json";

export const INDEX_TYPES: readonly string[] = [OCI_INDEX, DOCKER_LIST];
export const MANIFEST_TYPES: readonly string[] = [OCI_MANIFEST, DOCKER_MANIFEST];
