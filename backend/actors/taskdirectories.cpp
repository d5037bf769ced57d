#include "backend/actors/taskdirectories.h"

#include "backend/git/asidework.h"
#include "backend/git/gitpath.h"
#include "backend/store/database.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/messagelimits.h"

#include <QDateTime>
#include <QLoggingCategory>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcDirectories, "foundry.actors.directories")

namespace {

constexpr qsizetype directoriesMostEntries = 10000; // of one folder
constexpr qsizetype directoriesMostFolders = 200;
constexpr qsizetype directoriesMostListing = 64;
constexpr qsizetype directoriesPage = 1000;
constexpr qint64 directoriesFreshMs = 2000;  // without a watch
constexpr qint64 directoriesErrorMs = 5000;
constexpr qint64 directoriesLatelyMs = 10 * 60 * 1000;

qint64 directoriesNow()
{
    return QDateTime::currentMSecsSinceEpoch();
}

// <d or f><size> <name> NUL …, after a mark of whether there are more.
QByteArray directoriesEncode(const Folder &folder)
{
    QByteArray text(folder.truncated ? "+" : "-");
    for (const FolderEntry &entry : folder.entries)
        text += (entry.isDir ? 'd' : 'f') + QByteArray::number(entry.size) + ' ' + entry.name + '\0';
    return text;
}

Folder directoriesDecode(const QByteArray &text)
{
    Folder folder;
    folder.truncated = text.startsWith('+');
    for (qsizetype at = 1; at < text.size();) {
        const qsizetype end = text.indexOf('\0', at);
        const qsizetype space = text.indexOf(' ', at);
        if (end < 0 || space < 0 || space > end)
            break;
        folder.entries.append({text.mid(space + 1, end - space - 1), text.at(at) == 'd', text.mid(at + 1, space - at - 1).toLongLong()});
        at = end + 1;
    }
    return folder;
}

QByteArray directoriesJoin(const QByteArray &folder, const QByteArray &name)
{
    return folder.isEmpty() ? name : folder + '/' + name;
}

FileNode directoriesNode(const QByteArray &folder, const FolderEntry &entry)
{
    FileNode node;
    node.path = pathFromGit(directoriesJoin(folder, entry.name));
    node.isDir = entry.isDir;
    if (!entry.isDir)
        node.size = entry.size;
    return node;
}

} // namespace

TaskDirectories::TaskDirectories(ActorContext &context, TaskStore &store)
    : m_context(context)
    , m_store(store)
    , m_rows(context, topic())
{
}

QString TaskDirectories::schema()
{
    return QStringLiteral("CREATE TABLE directories (path BLOB PRIMARY KEY, listing BLOB NOT NULL, looked_at INTEGER NOT NULL,"
                          " half INTEGER NOT NULL) WITHOUT ROWID;");
}

void TaskDirectories::recover()
{
    QList<QByteArray> half;
    {
        auto q = m_context.database().query("SELECT path, looked_at, half FROM directories");
        while (q.next()) {
            if (q.flag(2))
                half.append(q.bytes(0));
            else
                m_known.insert(q.bytes(0), Known{0, q.integer(1)});
        }
    }
    if (half.isEmpty())
        return;
    // Which of their rows were written is not known: all rows of such a folder go, and it is listed when it is asked for.
    RowChanges gone;
    for (const Entity &entity : m_context.rows(topic(), QStringLiteral("FileNode"))) {
        const auto *node = std::get_if<FileNode>(&entity);
        if (!node)
            continue;
        const QByteArray path = pathToGit(node->path);
        if (half.contains(path.left(qMax(qsizetype(0), path.lastIndexOf('/')))))
            gone.removals.append(Removal{QStringLiteral("FileNode"), node->path});
    }
    m_rows.write(std::move(gone),
        [](Transaction &tx) { return tx.database().run("DELETE FROM directories WHERE half = 1"); }, [](const Result<> &) { });
}

std::optional<Folder> TaskDirectories::stored(const QByteArray &folder) const
{
    auto q = m_context.database().query("SELECT listing FROM directories WHERE path = ? AND half = 0", folder);
    return q.next() ? std::optional(directoriesDecode(q.bytes(0))) : std::nullopt;
}

Result<QByteArray> TaskDirectories::list(const ListDirectory &asked)
{
    const QByteArray folder = pathToGit(asked.path);
    if (auto fits = checkWorkTreePath(folder); !fits)
        return fits.error();
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("The work tree is not prepared yet."), QStringLiteral("Wait until the repository is prepared."));
    const qint64 now = directoriesNow();
    if (const auto known = m_known.find(folder); known != m_known.end()) {
        if (const auto there = stored(folder)) {
            known->lookedAt = now;
            const bool fresh = known->listedAt > 0 && (now - known->listedAt < directoriesFreshMs || (watched && watched(folder)));
            if (!fresh)
                start(folder);
            return page(folder, *there, asked.cursor);
        }
    }
    if (const auto failed = m_errors.constFind(folder); failed != m_errors.cend() && now - failed->second < directoriesErrorMs) {
        DirectoryPage page;
        page.path = asked.path;
        page.error = failed->first;
        return protocol::encodeValue(page);
    }
    if (!m_listing.contains(folder) && m_listing.size() >= directoriesMostListing)
        return makeError(QLatin1StringView("actor"), QLatin1StringView("overloaded"),
            QStringLiteral("Too many folders are being listed already."), QStringLiteral("Ask again in a moment."));
    m_waiting[folder].append(asked.requestId);
    start(folder);
    DirectoryPage pending;
    pending.pending = true;
    pending.path = asked.path;
    return protocol::encodeValue(pending);
}

QByteArray TaskDirectories::page(const QByteArray &folder, const Folder &found, const std::optional<QString> &cursor) const
{
    DirectoryPage page;
    page.path = pathFromGit(folder);
    auto at = found.entries.cbegin();
    if (cursor && cursor->size() > 1) // the entry that the page before ended with; it need not be there any more
        at = std::upper_bound(found.entries.cbegin(), found.entries.cend(),
            FolderEntry{pathToGit(cursor->mid(1)), cursor->startsWith(QLatin1Char('d')), 0}, folderEntryBefore);
    qsizetype bytes = 0; // of long names in deep folders a thousand do not fit in a message
    for (; at != found.entries.cend() && page.nodes.size() < directoriesPage; ++at) {
        FileNode node = directoriesNode(folder, *at);
        bytes += 2 * protocol::jsonTextSize(node.path) + 160; // as the row's id and in it
        if (bytes > protocol::hostPageLimit && !page.nodes.isEmpty())
            break;
        page.nodes.append(std::move(node));
    }
    if (at != found.entries.cend()) {
        const FolderEntry &last = *std::prev(at);
        page.cursor = QLatin1Char(last.isDir ? 'd' : 'f') + pathFromGit(last.name);
    } else if (found.truncated) {
        page.error = makeError(QLatin1StringView("git"), QLatin1StringView("truncated"),
            QStringLiteral("The folder has more than %1 entries; not all of them are listed.").arg(directoriesMostEntries),
            QStringLiteral("Find the others by their names."));
    }
    return protocol::encodeValue(page);
}

void TaskDirectories::start(const QByteArray &folder)
{
    if (m_listing.contains(folder)) {
        m_again.insert(folder);
        return;
    }
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return;
    m_listing.insert(folder);
    workAside<Result<Folder>>(
        m_context.owner(), [worktree = *task->workTree, folder] { return listFolder(worktree, folder, directoriesMostEntries); },
        [this, folder](const Result<Folder> &found) { listed(folder, found); });
}

void TaskDirectories::listed(const QByteArray &folder, const Result<Folder> &found)
{
    if (found) {
        m_errors.remove(folder);
        store(folder, *found);
        return;
    }
    if (m_errors.size() > 100)
        m_errors.clear();
    m_errors.insert(folder, {found.error(), directoriesNow()});
    forget(folder, [this, folder] { over(folder); });
}

RowChanges TaskDirectories::difference(const QByteArray &folder, const QList<FolderEntry> &before, const QList<FolderEntry> &after) const
{
    RowChanges changes;
    QHash<QByteArray, FolderEntry> old;
    for (const FolderEntry &entry : before)
        old.insert(entry.name, entry);
    for (const FolderEntry &entry : after) {
        const auto known = old.constFind(entry.name);
        if (known == old.cend() || !(*known == entry))
            changes.puts.append(directoriesNode(folder, entry));
        old.remove(entry.name);
    }
    for (const FolderEntry &entry : std::as_const(old))
        changes.removals.append(Removal{QStringLiteral("FileNode"), directoriesNode(folder, entry).path});
    return changes;
}

void TaskDirectories::store(const QByteArray &folder, const Folder &found)
{
    const Folder before = stored(folder).value_or(Folder{});
    Known &known = m_known[folder];
    if (known.lookedAt == 0)
        known.lookedAt = directoriesNow();
    known.listedAt = directoriesNow();
    RowChanges changes = difference(folder, before.entries, found.entries);
    if (changes.puts.isEmpty() && changes.removals.isEmpty() && before.truncated == found.truncated && stored(folder))
        return over(folder);
    const auto keep = [folder, lookedAt = known.lookedAt](Transaction &tx, const Folder &now, bool half) {
        return tx.database().run("INSERT INTO directories (path, listing, looked_at, half) VALUES (?, ?, ?, ?)"
                                 " ON CONFLICT(path) DO UPDATE SET listing = excluded.listing, looked_at = excluded.looked_at, half = excluded.half",
            folder, directoriesEncode(now), lookedAt, half);
    };
    const bool small = changes.puts.size() + changes.removals.size() <= 400;
    if (!small) {
        const auto marked = m_context.transaction([&](Transaction &tx) { return keep(tx, before, true); });
        if (!marked)
            return over(folder);
    }
    m_rows.write(std::move(changes), [keep, found](Transaction &tx) { return keep(tx, found, false); }, [this, folder](const Result<> &written) {
        if (!written)
            qCWarning(lcDirectories, "a folder was not stored: %ls", qUtf16Printable(written.error().message));
        over(folder);
        forgetOld();
    });
}

void TaskDirectories::forget(const QByteArray &folder, std::function<void()> then)
{
    m_known.remove(folder);
    const Folder before = stored(folder).value_or(Folder{});
    m_rows.write(difference(folder, before.entries, {}),
        [folder](Transaction &tx) { return tx.database().run("DELETE FROM directories WHERE path = ?", folder); },
        [then = std::move(then)](const Result<> &) {
            if (then)
                then();
        });
}

void TaskDirectories::forgetOld()
{
    while (m_known.size() > directoriesMostFolders) {
        auto oldest = m_known.cbegin();
        for (auto it = m_known.cbegin(); it != m_known.cend(); ++it) {
            if (it->lookedAt < oldest->lookedAt)
                oldest = it;
        }
        forget(oldest.key(), {});
    }
}

void TaskDirectories::over(const QByteArray &folder)
{
    m_listing.remove(folder);
    announce(folder);
    if (m_again.remove(folder))
        start(folder);
}

void TaskDirectories::announce(const QByteArray &folder)
{
    for (const RequestId &id : m_waiting.take(folder)) {
        TopicEvent event;
        event.topic = topic();
        event.ready = ReadyNotice{id, pathFromGit(folder)};
        m_context.notify(event);
    }
}

void TaskDirectories::changed(const QList<QByteArray> &folders)
{
    for (const QByteArray &folder : folders) {
        if (const auto known = m_known.find(folder); known != m_known.end()) {
            known->listedAt = 0;
            if (m_context.subscriberCount(topic()) > 0)
                start(folder);
        }
    }
}

void TaskDirectories::changedSomewhere()
{
    const qint64 now = directoriesNow();
    for (auto it = m_known.begin(); it != m_known.end(); ++it) {
        if (watched && watched(it.key()) && it->listedAt > 0)
            continue;
        it->listedAt = 0;
        if (m_context.subscriberCount(topic()) > 0 && now - it->lookedAt < directoriesLatelyMs)
            start(it.key());
    }
}

} // namespace foundry::backend
