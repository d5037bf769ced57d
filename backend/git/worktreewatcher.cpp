#include "backend/git/worktreewatcher.h"

#include <QDir>
#include <QFile>

#include <cerrno>
#include <sys/inotify.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr int watcherGatherMs = 100;
constexpr qsizetype watcherMostNew = 256;
constexpr int watcherNewDepth = 8;
constexpr uint32_t watcherEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB;
// A folder that became a link is not followed.
constexpr uint32_t watcherFlags = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;

QByteArray watcherFirstLine(const QByteArray &path)
{
    QFile file(QFile::decodeName(path));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return file.readLine(4096).trimmed();
}

bool watcherHasFiles(const QByteArray &path)
{
    return !QDir(QFile::decodeName(path)).entryList(QDir::Files | QDir::System | QDir::Hidden).isEmpty();
}

} // namespace

WorkTreeWatcher::WorkTreeWatcher(QObject *parent, qsizetype mostFolders)
    : QObject(parent)
    , m_most(mostFolders)
{
    m_gather.setSingleShot(true);
    connect(&m_gather, &QTimer::timeout, this, [this] {
        const QList<QByteArray> folders(m_touched.cbegin(), m_touched.cend());
        m_touched.clear();
        Q_EMIT touched(folders);
    });
}

WorkTreeWatcher::~WorkTreeWatcher()
{
    stop();
}

qsizetype WorkTreeWatcher::watch(const QString &worktree, const QList<QByteArray> &folders)
{
    const QByteArray root = QFile::encodeName(worktree);
    if (root != m_root)
        stop();
    if (m_fd < 0) {
        m_fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (m_fd < 0)
            return 0;
        m_root = root;
        m_notifier = std::make_unique<QSocketNotifier>(m_fd, QSocketNotifier::Read);
        connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] { read(); });
        watchGit();
    }
    const QList<QByteArray> wanted = folders.first(qMin(folders.size(), m_most));
    const QSet<QByteArray> set(wanted.cbegin(), wanted.cend());
    const QList<QByteArray> present = m_byFolder.keys();
    for (const QByteArray &folder : present) {
        if (set.contains(folder)) {
            m_new.remove(folder);
            continue;
        }
        // A folder with files that nobody lists is ignored, or its first file is younger than the list: one more look tells.
        if (m_new.contains(folder)) {
            if (!watcherHasFiles(m_root + '/' + folder))
                continue;
            note(&folder);
        }
        m_new.remove(folder);
        const int watch = m_byFolder.take(folder);
        m_byWatch.remove(watch);
        ::inotify_rm_watch(m_fd, watch);
        m_full = false;
    }
    const qsizetype before = m_byFolder.size();
    for (const QByteArray &folder : wanted) {
        if (m_full)
            break;
        if (!m_byFolder.contains(folder))
            add(folder.isEmpty() ? m_root : m_root + '/' + folder, folder);
    }
    return m_byFolder.size() - before;
}

void WorkTreeWatcher::add(const QByteArray &path, const QByteArray &folder)
{
    const int watch = ::inotify_add_watch(m_fd, path.constData(), watcherEvents | watcherFlags);
    if (watch < 0) {
        m_full = errno == ENOSPC || errno == ENOMEM;
        return;
    }
    m_byWatch.insert(watch, folder);
    m_byFolder.insert(folder, watch);
}

// A folder that was just made, and what was made in it before the watch began.
void WorkTreeWatcher::addNew(const QByteArray &folder, int depth)
{
    if (m_byFolder.contains(folder) || m_byFolder.size() >= m_most || m_new.size() >= watcherMostNew || m_full)
        return;
    const QByteArray path = m_root + '/' + folder;
    add(path, folder);
    if (!m_byFolder.contains(folder))
        return;
    m_new.insert(folder);
    if (depth == 0)
        return;
    const QStringList inside = QDir(QFile::decodeName(path)).entryList(QDir::Dirs | QDir::NoDotAndDotDot | QDir::Hidden | QDir::NoSymLinks);
    for (const QString &name : inside)
        addNew(folder + '/' + QFile::encodeName(name), depth - 1);
}

// The index and HEAD are replaced by renaming, so their folder is watched, and the branch's.
void WorkTreeWatcher::watchGit()
{
    QByteArray folder = m_root + "/.git";
    if (const QByteArray line = watcherFirstLine(folder); line.startsWith("gitdir: "))
        folder = line.mid(8);
    const auto note = [this](const QByteArray &path, const QByteArray &name) {
        const int watch = ::inotify_add_watch(m_fd, path.constData(), IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR | IN_MASK_ADD);
        if (watch >= 0)
            m_gitNames[watch].insert(name);
    };
    note(folder, "HEAD");
    note(folder, "index");
    const QByteArray head = watcherFirstLine(folder + "/HEAD");
    QByteArray common = watcherFirstLine(folder + "/commondir");
    if (common.isEmpty())
        common = folder;
    else if (!common.startsWith('/'))
        common = folder + '/' + common;
    if (!head.startsWith("ref: refs/") || head.contains("/../"))
        return;
    const QByteArray branch = common + '/' + head.mid(5);
    note(branch.left(branch.lastIndexOf('/')), branch.mid(branch.lastIndexOf('/') + 1));
}

void WorkTreeWatcher::stop()
{
    m_notifier.reset();
    if (m_fd >= 0)
        ::close(m_fd);
    m_fd = -1;
    m_full = false;
    m_root.clear();
    m_byWatch.clear();
    m_byFolder.clear();
    m_new.clear();
    m_gitNames.clear();
    m_touched.clear();
    m_gather.stop();
}

void WorkTreeWatcher::read()
{
    alignas(inotify_event) char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(m_fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        for (ssize_t at = 0; at < got;) {
            const auto *event = reinterpret_cast<const inotify_event *>(buffer + at);
            at += ssize_t(sizeof(inotify_event)) + event->len;
            if (event->mask & IN_Q_OVERFLOW) { // what was lost is unknown: all of them
                for (auto it = m_byFolder.keyBegin(); it != m_byFolder.keyEnd(); ++it)
                    note(&*it);
                continue;
            }
            if (event->mask & IN_IGNORED) {
                const QByteArray folder = m_byWatch.take(event->wd);
                if (m_byFolder.value(folder, -1) == event->wd) {
                    m_byFolder.remove(folder);
                    m_new.remove(folder);
                }
                m_gitNames.remove(event->wd);
                continue;
            }
            const QByteArray name(event->len > 0 ? event->name : "");
            const auto folder = m_byWatch.constFind(event->wd);
            if (folder != m_byWatch.cend() && name != ".git") {
                const QByteArray in = *folder; // NOLINT(performance-unnecessary-copy-initialization): adding watches moves what the iterator points at
                note(&in);
                if ((event->mask & IN_ISDIR) && (event->mask & (IN_CREATE | IN_MOVED_TO)))
                    addNew(in.isEmpty() ? name : in + '/' + name, watcherNewDepth);
            } else if (m_gitNames.value(event->wd).contains(name)) {
                note(nullptr);
                if (name == "HEAD")
                    watchGit(); // perhaps another branch
            }
        }
    }
}

void WorkTreeWatcher::note(const QByteArray *folder)
{
    if (folder)
        m_touched.insert(*folder);
    if (!m_gather.isActive())
        m_gather.start(watcherGatherMs);
}

} // namespace foundry::backend
