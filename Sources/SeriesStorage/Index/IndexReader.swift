// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// A text of the index: the name of a label, or the value of one.
struct IndexedText: BitwiseCopyable {
    /// The number of the name that it is a value of; zero for a name.
    var owner: UInt32
    /// Where its bytes lie, in words of four.
    var position: UInt32
    /// In bytes of UTF-8.
    var length: UInt32
}

/// What of the index never changes once it is there; read without a lock.
///
/// A **text** is numbered from 1. The number of a value stands for the pair of its name and it, so a series is the
/// numbers of its values in the order of their names, the last one marked by its top bit. A series without labels is
/// the number zero.
struct IndexReader: Sendable {
    static let lastMark: UInt32 = 0x8000_0000

    let texts: StableArena<IndexedText>.Reader
    let bytes: StableArena<UInt32>.Reader
    let words: StableArena<UInt32>.Reader
    /// By series number: where its words begin.
    let starts: StableArena<UInt32>.Reader
    let lists: NumberLists.Reader

    @inline(__always)
    func utf8(of text: UInt32) -> UnsafeBufferPointer<UInt8> {
        let found = self.texts[text]
        guard found.length > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        let start = UnsafeRawPointer(self.bytes.pointer(to: found.position)).assumingMemoryBound(to: UInt8.self)
        return UnsafeBufferPointer(start: start, count: Int(found.length))
    }

    @inline(__always)
    func string(of text: UInt32) -> String {
        String(decoding: self.utf8(of: text), as: UTF8.self)
    }

    @inline(__always)
    func words(of series: UInt32) -> UnsafePointer<UInt32> {
        self.words.pointer(to: self.starts[series])
    }

    /// How many words a series has, one at least.
    @inline(__always)
    func wordCount(of words: UnsafePointer<UInt32>) -> Int {
        var count = 1
        while words[count - 1] & Self.lastMark == 0 { count += 1 }
        return count
    }

    @inline(__always)
    func has(_ pair: UInt32, _ series: UInt32) -> Bool {
        var word = self.words(of: series)
        while true {
            if word.pointee & ~Self.lastMark == pair { return true }
            if word.pointee & Self.lastMark != 0 { return false }
            word += 1
        }
    }

    /// The value of a name in a series; zero where it has none.
    @inline(__always)
    func pair(of name: UInt32, _ series: UInt32) -> UInt32 {
        var word = self.words(of: series)
        while true {
            let pair = word.pointee & ~Self.lastMark
            if self.texts[pair].owner == name { return pair }
            if word.pointee & Self.lastMark != 0 { return 0 }
            word += 1
        }
    }

    /// Hands over the numbers of the values of a series.
    @inline(__always)
    func forEachPair(of series: UInt32, _ body: (UInt32) -> Void) {
        let words = self.words(of: series)
        for index in 0..<self.wordCount(of: words) {
            let pair = words[index] & ~Self.lastMark
            if pair != 0 { body(pair) }
        }
    }

    func labels(of series: UInt32) -> Labels {
        var labels: [Label] = []
        labels.reserveCapacity(self.wordCount(of: self.words(of: series)))
        self.forEachPair(of: series) { pair in
            labels.append(Label(name: self.string(of: self.texts[pair].owner), value: self.string(of: pair)))
        }
        return Labels(sorted: labels)
    }

    func packedLabels(of series: UInt32) -> [UInt8] {
        var count = 0
        self.forEachPair(of: series) { _ in count += 1 }
        var writer = ByteWriter(capacity: 64)
        writer.count(count)
        self.forEachPair(of: series) { pair in
            for text in [self.texts[pair].owner, pair] {
                let bytes = self.utf8(of: text)
                writer.count(bytes.count)
                for byte in bytes { writer.byte(byte) }
            }
        }
        return writer.bytes
    }
}
