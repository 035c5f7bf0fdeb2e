import Datasets
import Foundation
import ImagePipeline
import Storage

/// A report on data as a table for people.
struct DataReportText {
    private let report: DataReport
    private let clean: CleanList
    private let path: String
    private let seconds: Double

    /// The findings of a kind that are named; JSON has all.
    private static let shown = 3

    init(_ report: DataReport, _ clean: CleanList, path: String, seconds: Double) {
        self.report = report
        self.clean = clean
        self.path = path
        self.seconds = seconds
    }

    var text: String {
        var lines = heading + report.notes.map { "note: \(Self.line($0))" }
        let found = FindingKind.allCases.map { ($0, report.findings(of: $0)) }.filter {
            !$0.1.isEmpty
        }
        if !found.isEmpty { lines += [""] + table(found) }
        for (kind, findings) in found { lines += [""] + section(kind, findings) }
        return (lines + ["", conclusion]).joined(separator: "\n")
    }

    /// How much of each kind was found.
    private func table(_ found: [(FindingKind, [Finding])]) -> [String] {
        let width = found.map(\.0.title.count).max() ?? 0
        return found.map { kind, findings in
            let title = kind.title.padding(toLength: width, withPad: " ", startingAt: 0)
            let images = Set(findings.flatMap(\.images)).count
            let number = String(format: "%7d", findings.count)
            return "  \(Self.padded(kind.severity.rawValue, 8)) \(title) \(number)"
                + (images == 0
                    ? "" : String(format: " %8d image\(images == 1 ? "" : "s")", images))
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }

    private var heading: [String] {
        let width = max(8, report.parts.map(\.name.count).max() ?? 0)
        let classes = ClassNames.summary(report.classNames)
        let first = "\(path): \(counted(report.count, "image")), \(classes)"
        var lines = [Self.line(first)]
        for part in report.parts {
            let counts = part.classCounts.filter { $0 > 0 }
            let range = "\(counts.min() ?? 0) to \(counts.max() ?? 0) in a class"
            let name = part.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let images = counted(part.dataset.count, "image")
            lines.append("  \(name) \(images), \(range)\(Self.labels(of: part))")
        }
        let formats = report.formats.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
        if let sizes = report.sizes {
            lines.append(
                "  \("formats".padding(toLength: width, withPad: " ", startingAt: 0)) \(formats); "
                    + "\(side(sizes.width)) × \(side(sizes.height)) pixels (width × height)"
            )
        }
        return lines
    }

    /// How many labels the images of a part have, where they may have several; empty where each has one.
    private static func labels(of part: DataReport.Part) -> String {
        let dataset = part.dataset
        guard dataset.isMultiLabel else { return "" }
        let mean = Double(part.classCounts.reduce(0, +)) / Double(max(dataset.count, 1))
        let none = (0..<dataset.count).count { dataset.labels(at: $0).isEmpty }
        return String(format: "; %.2f labels an image, ", mean) + "\(none) without any"
    }

    private func side(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)…\(range.upperBound)"
    }

    private func section(_ kind: FindingKind, _ findings: [Finding]) -> [String] {
        var lines = ["\(kind.title): \(kind.advice)"]
        for finding in findings.prefix(Self.shown) {
            let names = finding.images.prefix(Self.shown).map {
                Self.line(short(report.name(of: $0)))
            }
            let more = finding.images.count - names.count
            let files = names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
            let detail = Self.line(finding.detail)
            lines.append("  " + (files.isEmpty ? detail : "\(files): \(detail)"))
        }
        if findings.count > Self.shown { lines.append("  … \(findings.count - Self.shown) more") }
        return lines
    }

    /// A name as it is in the folder that was checked.
    private func short(_ name: String) -> String {
        let start = path.hasSuffix("/") ? path : path + "/"
        return name.hasPrefix(start) ? String(name.dropFirst(start.count)) : name
    }

    /// A name without the characters that a terminal would obey.
    private static func line(_ text: String) -> String { TerminalText.field(text) }

    private var conclusion: String {
        let errors = report.findings.count { $0.kind.severity == .error }
        let warnings = report.findings.count - errors
        let rate = String(
            format: "%.1f s, %.0f images/s",
            seconds,
            Double(report.count) / max(seconds, 1e-9)
        )
        guard errors + warnings > 0 else { return "no problems found (\(rate))" }
        return "\(counted(errors, "error")), \(counted(warnings, "warning")); without "
            + "\(counted(clean.dropped.count, "image")) \(clean.kept) \(clean.kept == 1 ? "is" : "are") left (\(rate))"
    }
}
