// poyang
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// SQLite's write-ahead log, read as SQLite's file format document (section 4) describes it.
///
/// SQLite takes the first frame whose checksum fails for the end of the log, because that is what a power cut leaves. A
/// damaged disk can leave the same in the middle, and then everything behind it would be forgotten in silence: batches
/// that were acknowledged. The two can be told apart. A commit is written only after the one before it was flushed; so
/// where a commit cannot be read, and the frames of *another* one stand behind it, something that was flushed is lost.
///
/// ```
/// header 32 bytes, big endian: magic u32 (0x377f0682 little, 0x377f0683 big endian checksums), version u32, page size
///                              u32, sequence u32, salts 2 × u32, checksum of the first 24 bytes 2 × u32
/// frame  24 bytes + a page:    page number u32, pages after the commit u32 (0: no commit), salts 2 × u32, checksum
///                              2 × u32 of the frame's first 8 bytes and the page, on top of the frame before
/// ```
enum WriteAheadLog {
    /// What is lost in the log beside a database file; nil when it is whole, or there is none.
    static func damage(of path: String) throws -> Damage? {
        let name = path + "-wal"
        guard SeriesStore.fileSize(name) > 32 else { return nil }
        let bytes = try Data(contentsOf: URL(filePath: name), options: .alwaysMapped)
        return bytes.withUnsafeBytes { WriteAheadLog.Reading($0).damage(in: name) }
    }

    /// Refuses a file whose log is damaged in the middle.
    ///
    /// SQLite would open it, and go back to a moment before commits that were reported. Worse, pages that a checkpoint
    /// already brought into the file would be mixed with older ones from the log.
    static func refuseDamage(of path: String) throws {
        guard let damage = try self.damage(of: path) else { return }
        throw StorageError(
            code: .corrupt,
            message: "\(damage.message); nothing was changed. Check the disk, let `poyang verify --salvage DIR` save "
                + "what can be read, or restore the last backup (`poyang restore`)"
        )
    }

    private struct Sum: Equatable {
        var first: UInt32 = 0
        var second: UInt32 = 0
    }

    private struct Reading {
        private let bytes: UnsafeRawBufferPointer
        private let isBigEndian: Bool
        private let pageSize: Int

        init(_ bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
            self.isBigEndian = Reading.word(bytes, 0) & 1 == 1
            self.pageSize = Int(Reading.word(bytes, 8))
        }

        func damage(in name: String) -> Damage? {
            let isHeaderWhole =
                [0x377f_0682, 0x377f_0683].contains(Reading.word(self.bytes, 0))
                && (512...65_536).contains(self.pageSize) && self.sum(0..<24, after: Sum()) == self.stored(24)
            guard isHeaderWhole else {
                // A header is flushed before the first commit behind it is reported; but a log of zeros is a new one.
                guard self.bytes.prefix(32).contains(where: { $0 != 0 }), self.bytes.count > 32 else { return nil }
                return Damage(.file, "\(name) has a damaged header: commits that are only in it cannot be read")
            }
            let frame = 24 + self.pageSize
            let count = (self.bytes.count - 32) / frame
            var before = self.stored(24)
            var index = 0
            while index < count, self.isWhole(index, after: before) {
                before = self.stored(32 + index * frame + 16)
                index += 1
            }
            let commits = self.commitsBehind(index, of: count)
            guard commits > 1 else { return nil }
            return Damage(
                .file,
                "\(name) is damaged in frame \(index + 1) of \(count): about \(commits) commits from there on cannot "
                    + "be read, though they were flushed"
            )
        }

        /// The most commits that follow one another without a break from a frame on whose own checksum fails.
        ///
        /// A transaction that was under way, or that failed and was overwritten in part, leaves one commit at most: what
        /// it left does not fit the frames that another one left behind it.
        private func commitsBehind(_ start: Int, of count: Int) -> Int {
            var (most, commits) = (0, 0)
            for index in start..<max(count, start) {
                let place = 32 + index * (24 + self.pageSize)
                let isCommit = self.hasSalt(index) && Reading.word(self.bytes, place + 4) > 0
                let before = place - (24 + self.pageSize)
                let fits = index > start && self.isWhole(index, after: self.stored(before + 16))
                commits = (fits ? commits : 0) + (isCommit ? 1 : 0)
                most = max(most, commits)
            }
            return most
        }

        private func hasSalt(_ index: Int) -> Bool {
            let place = 32 + index * (24 + self.pageSize)
            return Reading.word(self.bytes, place + 8) == Reading.word(self.bytes, 16)
                && Reading.word(self.bytes, place + 12) == Reading.word(self.bytes, 20)
        }

        private func isWhole(_ index: Int, after before: Sum) -> Bool {
            guard self.hasSalt(index) else { return false }
            let place = 32 + index * (24 + self.pageSize)
            let header = self.sum(place..<place + 8, after: before)
            return self.sum(place + 24..<place + 24 + self.pageSize, after: header) == self.stored(place + 16)
        }

        private func stored(_ offset: Int) -> Sum {
            Sum(first: Reading.word(self.bytes, offset), second: Reading.word(self.bytes, offset + 4))
        }

        private func sum(_ range: Range<Int>, after start: Sum) -> Sum {
            var sum = start
            var offset = range.lowerBound
            while offset < range.upperBound {
                sum.first = sum.first &+ self.number(offset) &+ sum.second
                sum.second = sum.second &+ self.number(offset + 4) &+ sum.first
                offset += 8
            }
            return sum
        }

        private func number(_ offset: Int) -> UInt32 {
            let raw = self.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            return self.isBigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
        }

        private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
    }
}
