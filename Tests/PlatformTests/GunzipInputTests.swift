// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore
import Testing

@testable import HTTPAPI
@testable import Platform

@Suite(.timeLimit(.minutes(1)))
struct GunzipInputTests {
    /// Bytes in memory, given out a few at a time.
    private final class Pieces: BulkInput {
        private var bytes: ArraySlice<UInt8>
        private let size: Int

        init(_ bytes: [UInt8], of size: Int) {
            self.bytes = bytes[...]
            self.size = size
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let count = min(buffer.count, self.size, self.bytes.count)
            buffer.copyBytes(from: self.bytes.prefix(count))
            self.bytes.removeFirst(count)
            return count
        }

        func seek(to offset: Int64) throws {}
    }

    private static let plain = (0..<5000).flatMap { Array("water_level \($0 * 7919 % 1000)\n".utf8) }

    private func gzip(_ plain: [UInt8]) throws -> [UInt8] {
        let stream = try #require(GzipStream())
        return Array(stream.compress(ByteBuffer(bytes: plain), isLast: true).readableBytesView)
    }

    private func inflated(_ bytes: [UInt8], pieces: Int, buffer: Int = 1000) throws -> [UInt8] {
        let input = try GunzipInput(Pieces(bytes, of: pieces))
        var back: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: buffer)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try input.read(into: $0) }
            if count == 0 { return back }
            back += buffer[..<count]
        }
    }

    @Test(arguments: [1, 777, 1 << 20])
    func membersComeBackWhereverTheyAreCut(pieces: Int) throws {
        let two = try self.gzip(Self.plain) + self.gzip(Self.plain)
        #expect(try self.inflated(two, pieces: pieces) == Self.plain + Self.plain)
        #expect(try self.inflated(two, pieces: pieces, buffer: 1 << 20) == Self.plain + Self.plain)
        #expect(try self.inflated([], pieces: pieces).isEmpty)
    }

    @Test func whatBreaksOffOrIsDamagedIsRefused() throws {
        let whole = try self.gzip(Self.plain)
        for count in [1, 9, whole.count / 2, whole.count - 1] {
            let error = #expect(throws: PlatformError.self) {
                try self.inflated(Array(whole[..<count]), pieces: 500)
            }
            #expect(error?.code == .input && error?.message == "the gzip input breaks off", "\(count)")
        }
        var damaged = whole
        damaged[whole.count - 6] ^= 1
        for bytes in [damaged, Self.plain, whole + [1]] {
            #expect(throws: PlatformError.self) { try self.inflated(bytes, pieces: 500) }
        }
    }

    /// A thousandth of it is held compressed, and no more than the buffer inflated.
    @Test func aBombIsInflatedPieceByPiece() throws {
        let stream = try #require(GzipStream())
        let zeros = ByteBuffer(repeating: 0, count: 1 << 20)
        var bomb: [UInt8] = []
        for number in 1...64 { bomb += stream.compress(zeros, isLast: number == 64).readableBytesView }
        #expect(bomb.count < 1 << 20)
        let input = try GunzipInput(Pieces(bomb, of: 1 << 20))
        var buffer = [UInt8](repeating: 1, count: 4096)
        var sum = 0
        while true {
            let count = try buffer.withUnsafeMutableBytes { try input.read(into: $0) }
            if count == 0 { break }
            sum += count
        }
        #expect(sum == 64 << 20)
    }
}
