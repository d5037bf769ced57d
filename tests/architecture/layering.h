// The rules of docs/ARCHITECTURE.md that can be read off the source text: who includes whom, and words that do not
// belong in a place. No Qt types of the program under test; text in, complaints out, so that the rules themselves can
// be tested with bad samples.
#pragma once

#include <QString>
#include <QStringList>

#include <functional>

namespace foundry::tests {

/// What the checker asks about the world beside one file's text.
struct LayeringWorld {
    /// The Qt module (e.g. "QtCore") that has a public class header of this name, empty when Qt has none.
    std::function<QString(const QString &header)> qtModule;
    /// Whether a path relative to the tree's root is a file of the tree.
    std::function<bool(const QString &path)> exists;
};

/// Complaints about one file, each "line N: what is wrong"; empty when the file keeps the rules.
/// `path` is relative to the tree's root, with '/'.
[[nodiscard]] QStringList layeringComplaints(const QString &path, const QString &text, const LayeringWorld &world);

/// The place in the table that a file belongs to (e.g. "realtime/protocol"), empty when no rule knows its folder.
[[nodiscard]] QString layeringPlace(const QString &path);

} // namespace foundry::tests
