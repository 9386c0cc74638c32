// poyang
// SPDX-License-Identifier: Apache-2.0

package import HTTPAPI
package import Hummingbird

extension PlatformBackend {
    package func remoteWrite(_ body: RequestBody, from sender: String, org: String?) async throws -> RemoteWriteReport {
        try await self.pushes.take(body, from: sender, org: org)
    }
}
