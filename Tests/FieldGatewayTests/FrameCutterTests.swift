// poyang
// SPDX-License-Identifier: Apache-2.0

import PayloadCodecs
import TestSupport
import Testing

@testable import FieldGateway

struct FrameCutterTests {
    private static let report = sl651Frame(0x32, hex(sl651Head + "F1F1 0012345678 48 F0F0 2206211655 39 23 00019070"))

    @Test func framesComeOutWholeHoweverTheBytesAreCut() {
        let stream =
            Self.report + sl651TextFrame("32", Array("0001220621165610ST 0012345678 H Z 19.07 ".utf8)) + Self.report
        for size in [1, 2, 7, 31, 1000] {
            var cutter = FrameCutter()
            var frames: [Int] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                cutter.push(stream[start..<min(start + size, stream.count)])
                while case .frame(let frame, let bytes)? = cutter.next() {
                    #expect(frame.extent.upperBound == bytes.count)
                    frames.append(bytes.count)
                }
            }
            #expect(frames == [Self.report.count, stream.count - 2 * Self.report.count, Self.report.count], "\(size)")
            #expect(!cutter.isInsideFrame && cutter.skipped == 0)
        }
    }

    @Test func whatModemsSayIsPassedOverAndCounted() {
        var cutter = FrameCutter()
        cutter.push(Array("13800001111\r\n".utf8) + Self.report + [0xFE, 0xFE])
        guard case .frame? = cutter.next() else {
            Issue.record("no frame behind a registration")
            return
        }
        #expect(cutter.next() == nil)
        #expect(cutter.skipped == 2)
    }

    @Test func aDamagedFrameDoesNotTakeTheNextWithIt() {
        for place in [8, 11, 12, 20, Self.report.count - 1] {
            var damaged = Self.report
            damaged[place] ^= 0x04
            var cutter = FrameCutter()
            cutter.push(damaged + Self.report + Self.report)
            var frames = 0
            while let piece = cutter.next() { if case .frame = piece { frames += 1 } }
            // Where the length is damaged, the frame behind it is waited for at most.
            #expect(frames >= (place == 11 ? 0 : 1), "byte \(place)")
        }
    }

    /// Bytes that all look like beginnings take no more time than others.
    @Test(.timeLimit(.minutes(1)), arguments: [[0x01], [0x7E], [0x7E, 0x7E, 0x00]] as [[UInt8]])
    func manyBeginningsWithoutAnEndArePassedOverQuickly(pattern: [UInt8]) {
        var cutter = FrameCutter()
        for _ in 0..<20 {
            cutter.push((0..<65_536).map { pattern[$0 % pattern.count] })
            #expect(cutter.next() == nil)
        }
        #expect(cutter.skipped > 800_000)
        cutter.push(Self.report)
        var frames = 0
        while let piece = cutter.next() { if case .frame = piece { frames += 1 } }
        #expect(frames == 1)
    }

    @Test func garbageOfAnyKindIsDroppedAndHoldsNoMemory() {
        var generator = SeededGenerator(seed: 651)
        var cutter = FrameCutter()
        for _ in 0..<2000 {
            cutter.push(
                (0..<Int.random(in: 1...200, using: &generator))
                    .map { _ in UInt8.random(in: 0...255, using: &generator) }
            )
            while cutter.next() != nil {}
            #expect(cutter.held <= 4200)
        }
    }
}
