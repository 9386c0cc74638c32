// poyang
// SPDX-License-Identifier: Apache-2.0

import Telemetry

/// What happened to a warning from one state to the next.
enum WarningChange {
    /// What happened to the silence of a site; `nil` where nobody is to be called: what waits is said by the list, and what
    /// was never said needs no end.
    static func ofSilence(
        from before: Warning?,
        to after: Warning,
        by transitions: [AlertTransition],
        isCalled: Bool
    ) -> (action: WarningAction, amendment: MessageSubject.Amendment?)? {
        guard let before, before.latest != nil else { return isCalled && after.isActive ? (.issued, nil) : nil }
        guard after.isActive, !isCalled else {
            return after.isActive && after.level == before.level
                ? (.amended, .joined) : self.of(before, to: after, by: transitions)
        }
        return after.level < before.level ? (.lowered, nil) : nil
    }

    /// What happened; `nil` where nothing did that people must be told.
    static func of(
        _ before: Warning?,
        to after: Warning,
        by transitions: [AlertTransition]
    ) -> (action: WarningAction, amendment: MessageSubject.Amendment?)? {
        guard let before else { return (.issued, nil) }
        if !after.isActive {
            let neverWas = transitions.allSatisfy { $0.change == .retracted } && after.past?.isEmpty ?? true
            return (neverWas ? .cancelled : .ended, nil)
        }
        if after.level > before.level { return (.raised, nil) }
        if after.level < before.level { return (.lowered, nil) }
        if after.isHeld != before.isHeld { return (.amended, after.isHeld ? .held : .resumed) }
        let corrections = transitions.compactMap(Correction.init).filter(\.isNews)
        // A cause that was withdrawn without lowering the level is news where it was above it, and over.
        if corrections.contains(where: { $0.change == .amended ? $0.level >= after.level : $0.level > after.level }) {
            return (.amended, .corrected)
        }
        let news = after.causes.filter { cause in
            !before.causes.contains { $0.rule == cause.rule && $0.labels == cause.labels }
        }
        if after.identity.hazard == .system, news.contains(where: { $0.level == after.level }) {
            return (.amended, .joined)
        }
        return nil
    }
}
