import Foundation
import ImagePipeline
import Storage

/// A report as one self-contained HTML file with embedded images.
public struct ReportPage: Sendable {
    /// The most findings of a kind that are shown with images.
    public static let shownFindings = 40
    /// The most images of a group that are shown.
    static let shownImages = 8
    /// The most classes whose counts are drawn.
    static let shownClasses = 200
    /// The pixels of a thumbnail's longer side.
    static let side = 80

    private let report: DataReport
    private let title: String

    /// Prepares a page.
    ///
    /// - Parameters:
    ///   - report: What was found.
    ///   - title: What the page is called, such as the folder.
    public init(_ report: DataReport, title: String) {
        self.report = report
        self.title = title
    }

    /// Writes the page.
    ///
    /// - Parameter path: The file to write, which takes its name when it is whole.
    /// - Throws: ``DatasetError/unreadableSet(path:detail:)`` when it cannot be written.
    public func write(to path: String) throws(DatasetError) {
        try DatasetError.of(AtomicFile.write(html.utf8, to: path))
    }

    /// The page's text.
    public var html: String {
        let kinds = FindingKind.allCases.map { ($0, report.findings(of: $0)) }.filter {
            !$0.1.isEmpty
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(MarkupText.escaped(title))</title>
            <style>\(Self.style)</style></head><body>
            <h1>\(MarkupText.escaped(title))</h1>
            \(summary)
            \(overview(kinds))
            \(classes)
            \(kinds.map(section).joined(separator: "\n"))
            </body></html>

            """
    }

    // MARK: - Parts of the page

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}
        h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse}
        td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}td.n{text-align:right}
        .error{color:#b00020}.warning{color:#8a5a00}.group{border-top:1px solid #ddd;padding:.6rem 0}
        figure{display:inline-block;width:9rem;margin:.3rem .6rem .3rem 0;vertical-align:top}
        figure img,figure div{width:80px;height:80px;object-fit:contain;background:#eee;image-rendering:auto}
        figcaption{font-size:.75rem;overflow-wrap:anywhere}.bar{background:#4a7fb5;height:.7rem;min-width:1px}
        @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.error{color:#ff8a80}.warning{color:#ffc56b}
        .group{border-color:#444}figure img,figure div{background:#333}}
        """

    private var summary: String {
        var parts = report.parts.map { "\($0.name): \(counted($0.dataset.count, "image"))" }
        parts.append(counted(report.classNames.count, "class"))
        parts += report.formats.map { "\($0.count) \($0.name)" }
        if let sizes = report.sizes { parts.append(Self.text(of: sizes)) }
        let notes = report.notes.map { "<p>\(MarkupText.escaped($0))</p>" }.joined()
        return "<p>\(MarkupText.escaped(parts.joined(separator: " · ")))</p>\(notes)"
    }

    /// Widths and heights in words, such as `50 to 640 × 48 to 480 pixels (width × height)`.
    static func text(of sizes: (width: ClosedRange<Int>, height: ClosedRange<Int>)) -> String {
        func side(_ range: ClosedRange<Int>) -> String {
            range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        }
        return "\(side(sizes.width)) × \(side(sizes.height)) pixels (width × height)"
    }

    private func overview(_ kinds: [(FindingKind, [Finding])]) -> String {
        guard !kinds.isEmpty else {
            return "<p>No problems found.</p>"
        }
        let rows = kinds.map { kind, findings in
            """
            <tr><td><a class="\(kind.severity.rawValue)" href="#\(kind.rawValue)">\(kind.title)</a></td>\
            <td class="n">\(findings.count)</td><td>\(kind.advice)</td></tr>
            """
        }
        return "<table>\(rows.joined(separator: "\n"))</table>"
    }

    private var classes: String {
        let most = report.parts.flatMap(\.classCounts).max() ?? 0
        let rows = report.classNames.indices.prefix(Self.shownClasses).map { label in
            let cells = report.parts.map { part in
                let count = part.classCounts[label]
                let width = most == 0 ? 0 : 16 * Double(count) / Double(most)
                return "<td class=\"n\">\(count)</td><td><div class=\"bar\" style=\"width:"
                    + String(format: "%.2f", width) + "rem\"></div></td>"
            }
            return
                "<tr><td>\(MarkupText.escaped(report.classNames[label]))</td>\(cells.joined())</tr>"
        }
        let heads = report.parts.map { "<th>\(MarkupText.escaped($0.name))</th><th></th>" }.joined()
        let more = report.classNames.count - rows.count
        return
            "<h2>Classes</h2><table><tr><th></th>\(heads)</tr>\(rows.joined(separator: "\n"))</table>"
            + (more > 0 ? "<p>and \(more) more</p>" : "")
    }

    private func section(_ kind: FindingKind, _ findings: [Finding]) -> String {
        let shown = findings.prefix(Self.shownFindings).map { finding in
            let figures = finding.images.prefix(Self.shownImages).map(figure).joined()
            let more = finding.images.count - Self.shownImages
            return "<div class=\"group\">\(MarkupText.escaped(finding.detail))"
                + "\(more > 0 ? " (\(Self.shownImages) of them)" : "")<br>\(figures)</div>"
        }
        let more = findings.count - shown.count
        return
            "<h2 id=\"\(kind.rawValue)\" class=\"\(kind.severity.rawValue)\">\(kind.title): \(findings.count)</h2>"
            + "<p>\(kind.advice)</p>\(shown.joined(separator: "\n"))"
            + (more > 0 ? "<p>and \(more) more; <code>--json</code> lists all</p>" : "")
    }

    private func figure(_ item: Finding.Item) -> String {
        let name = report.name(of: item)
        let part = report.parts[item.part]
        var figure = "<div></div>"
        if let pixels = thumbnail(part.dataset, item.index),
            let png = ThumbnailPNG.encode(pixels, side: Self.side)
        {
            let data = Data(png).base64EncodedString()
            figure = "<img alt=\"\" loading=\"lazy\" src=\"data:image/png;base64,\(data)\">"
        }
        return
            "<figure>\(figure)<figcaption>\(MarkupText.escaped(name))<br>\(MarkupText.escaped(part.name)), "
            + "\(MarkupText.escaped(report.className(of: item)))</figcaption></figure>"
    }

    private func thumbnail(_ dataset: any ImageDataset, _ index: Int) -> Image? {
        if let size = dataset.filePath(at: index).flatMap(fileSize),
            size > ImageExaminer.byteLimit
        {
            return nil
        }
        guard let bytes = try? dataset.fileBytes(at: index) else {
            return try? dataset.image(at: index)
        }
        return try? Image(decoding: bytes)
    }
}
