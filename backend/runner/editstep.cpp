#include "backend/runner/editstep.h"

#include "backend/runner/turn.h"
#include "backend/runner/worktreepath.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QSaveFile>

namespace foundry::runner {

namespace {

constexpr int editMaxFiles = 500;
constexpr int editMaxDiffs = 50;
constexpr qint64 editMaxWholeBytes = 64 * 1024;

// The lines around the first and the last change, for files too long to be shown whole.
void editExcerpt(QByteArray *before, QByteArray *after)
{
    qsizetype same = 0;
    const qsizetype shortest = std::min(before->size(), after->size());
    while (same < shortest && before->at(same) == after->at(same))
        ++same;
    qsizetype tail = 0;
    while (tail < shortest - same && before->at(before->size() - 1 - tail) == after->at(after->size() - 1 - tail))
        ++tail;
    qsizetype from = same;
    for (int lines = 0; from > 0 && (lines += before->at(from - 1) == '\n') < 4;)
        --from;
    qsizetype keep = tail;
    for (int lines = 0; keep > 0 && (lines += before->at(before->size() - keep) == '\n') < 4;)
        --keep;
    *before = before->mid(from, before->size() - from - keep).left(editMaxWholeBytes);
    *after = after->mid(from, after->size() - from - keep).left(editMaxWholeBytes);
}

QJsonObject editDiff(const FileEdit &edit)
{
    QByteArray before = edit.before.value_or(QByteArray());
    QByteArray after = edit.after;
    if (edit.before && std::max(before.size(), after.size()) > editMaxWholeBytes)
        editExcerpt(&before, &after);
    return {{QStringLiteral("type"), QStringLiteral("diff")}, {QStringLiteral("path"), edit.absolute},
        {QStringLiteral("oldText"), edit.before ? QJsonValue(QString::fromUtf8(before)) : QJsonValue()},
        {QStringLiteral("newText"), QString::fromUtf8(after)}};
}

std::optional<QByteArray> editRead(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? std::optional<QByteArray>(file.readAll()) : std::nullopt;
}

} // namespace

void EditStep::start()
{
    m_callId = turn.newCallId();
    command.name == QLatin1String("write") ? planWrite() : planReplace();
}

void EditStep::refuse(const QString &why)
{
    m_done = true;
    turn.say(why + QStringLiteral(" Nothing was written."));
    Q_EMIT finished(false);
}

void EditStep::planWrite()
{
    if (command.args.isEmpty()) {
        refuse(QStringLiteral("Say where to write: `/write PATH`, and the text on the lines below."));
        return;
    }
    const ResolvedPath path = resolveInside(turn.root(), command.args.first());
    if (!path.error.isEmpty()) {
        refuse(path.error);
        return;
    }
    QString text = command.body;
    // One line may stand right behind the path.
    if (command.args.size() > 1)
        text = command.args.mid(1).join(QLatin1Char(' ')) + (text.isEmpty() ? QString() : QLatin1Char('\n') + text);
    if (!text.isEmpty() && !text.endsWith(QLatin1Char('\n')))
        text += QLatin1Char('\n');
    FileEdit edit{path.absolute, path.relative, std::nullopt, text.toUtf8()};
    if (QFileInfo::exists(path.absolute)) {
        edit.before = editRead(path.absolute);
        if (!edit.before) {
            refuse(QStringLiteral("%1 cannot be read.").arg(path.relative));
            return;
        }
    }
    if (edit.before == edit.after) {
        turn.say(QStringLiteral("%1 holds just that already.").arg(path.relative));
        m_done = true;
        Q_EMIT finished(true);
        return;
    }
    m_edits = {edit};
    propose(QStringLiteral("Write %1").arg(path.relative));
}

void EditStep::planReplace()
{
    if (command.args.size() < 2 || command.args.size() > 3 || command.args[0].isEmpty()) {
        refuse(QStringLiteral("Say what to replace: `/replace OLD NEW [GLOB]`; quote what has blanks in it."));
        return;
    }
    const QByteArray from = command.args[0].toUtf8();
    const QByteArray to = command.args[1].toUtf8();
    m_scan = std::make_unique<FileScan>(turn.root(), [this, from, to](const QString &path, const QByteArray &content) {
        const qsizetype places = content.count(from);
        if (places == 0)
            return true;
        const ResolvedPath where = resolveInside(turn.root(), path);
        if (!where.error.isEmpty())
            return true; // a submodule, or below a link
        m_places += int(places);
        QByteArray after = content;
        after.replace(from, to);
        m_edits.append({where.absolute, where.relative, content, after});
        return m_edits.size() <= editMaxFiles;
    });
    m_scan->setGlob(command.args.value(2));
    connect(m_scan.get(), &FileScan::finished, this, [this](const ScanStats &stats) {
        m_scan.release()->deleteLater();
        if (m_edits.size() > editMaxFiles) {
            refuse(QStringLiteral("More than %1 files would change. Narrow it down with a GLOB.").arg(editMaxFiles));
        } else if (m_edits.isEmpty()) {
            refuse(QStringLiteral("“%1” was not found in %2 files.").arg(command.args[0]).arg(stats.files));
        } else {
            propose(QStringLiteral("Replace “%1” by “%2” in %3 files (%4 places)").arg(command.args[0], command.args[1]).arg(m_edits.size()).arg(m_places));
        }
    });
    m_scan->start();
}

void EditStep::propose(const QString &title)
{
    QJsonArray content;
    QJsonArray locations;
    for (const FileEdit &edit : std::as_const(m_edits)) {
        if (content.size() < editMaxDiffs)
            content.append(editDiff(edit));
        locations.append(QJsonObject{{QStringLiteral("path"), edit.absolute}});
    }
    if (m_edits.size() > editMaxDiffs)
        turn.say(QStringLiteral("The first %1 of %2 files are shown.").arg(editMaxDiffs).arg(m_edits.size()));
    const QJsonObject call{{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("title"), title},
        {QStringLiteral("kind"), QStringLiteral("edit")}, {QStringLiteral("status"), QStringLiteral("pending")},
        {QStringLiteral("content"), content}, {QStringLiteral("locations"), locations}};
    turn.toolCall(call);
    turn.ask(QStringLiteral("edit"), call, [this](bool allowed) {
        if (m_done)
            return;
        if (allowed) {
            apply();
            return;
        }
        turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("failed")}});
        refuse(QStringLiteral("The change was not allowed."));
    });
}

void EditStep::cancel()
{
    if (m_done)
        return;
    m_done = true;
    if (m_scan)
        m_scan.release()->deleteLater();
    else
        turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId}, {QStringLiteral("status"), QStringLiteral("failed")}});
    Q_EMIT finished(false);
}

void EditStep::apply()
{
    m_done = true;
    QStringList failed;
    int written = 0;
    for (const FileEdit &edit : std::as_const(m_edits)) {
        // It may have become a link, or another text, while somebody thought about it.
        const ResolvedPath path = resolveInside(turn.root(), edit.relative);
        const bool isNew = !QFileInfo::exists(edit.absolute);
        if (!path.error.isEmpty() || path.absolute != edit.absolute) {
            failed.append(QStringLiteral("%1: it lies somewhere else now").arg(edit.relative));
            continue;
        }
        if (isNew != !edit.before || (!isNew && editRead(edit.absolute) != edit.before)) {
            failed.append(QStringLiteral("%1: it was changed meanwhile").arg(edit.relative));
            continue;
        }
        QDir().mkpath(QFileInfo(edit.absolute).path());
        QSaveFile file(edit.absolute);
        if (!file.open(QIODevice::WriteOnly) || file.write(edit.after) != edit.after.size() || !file.commit())
            failed.append(QStringLiteral("%1: %2").arg(edit.relative, file.errorString()));
        else
            ++written;
    }
    turn.toolUpdate({{QStringLiteral("toolCallId"), m_callId},
        {QStringLiteral("status"), failed.isEmpty() ? QStringLiteral("completed") : QStringLiteral("failed")}});
    QString said = m_edits.size() == 1 && written == 1 ? QStringLiteral("%1 was written.").arg(m_edits.first().relative)
                                                       : QStringLiteral("%1 of %2 files were written.").arg(written).arg(m_edits.size());
    for (const QString &line : failed)
        said += QStringLiteral("\n- ") + line;
    turn.say(said);
    Q_EMIT finished(failed.isEmpty());
}

} // namespace foundry::runner
