#include "backend/git/worktreefiles.h"

#include "backend/git/giterror.h"
#include "backend/git/gitpath.h"

#include <QFile>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace foundry::backend {

namespace {

constexpr qsizetype worktreefilesBinaryProbe = 8000;

class WorktreeFileHandle {
public:
    explicit WorktreeFileHandle(int fd)
        : m_fd(fd)
    {
    }
    ~WorktreeFileHandle()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    WorktreeFileHandle(const WorktreeFileHandle &) = delete;
    WorktreeFileHandle &operator=(const WorktreeFileHandle &) = delete;
    void reset(int fd)
    {
        if (m_fd >= 0)
            ::close(m_fd);
        m_fd = fd;
    }
    int get() const { return m_fd; }
    int release() { return std::exchange(m_fd, -1); }

private:
    int m_fd;
};

Error worktreefilesInvalid(const QByteArray &path, const QString &what)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("“%1” %2.").arg(pathFromGit(path), what), {},
        QStringLiteral("path"));
}

Error worktreefilesError(const QByteArray &path, int code)
{
    const QString name = path.isEmpty() ? QStringLiteral("The work tree") : QStringLiteral("“%1”").arg(pathFromGit(path));
    switch (code) {
    case ENOENT:
        return gitErrorOf(QLatin1StringView("not_found"), QStringLiteral("%1 is not there.").arg(name));
    case ELOOP:
    case ENOTDIR:
        return worktreefilesInvalid(path, QStringLiteral("is not a folder of the work tree"));
    case EACCES:
    case EPERM:
        return makeError(QLatin1StringView("git"), QLatin1StringView("read_only"), QStringLiteral("%1 may not be read.").arg(name),
            QStringLiteral("Change its permissions."));
    default:
        return gitErrorOf(QLatin1StringView("failed"), QStringLiteral("%1 could not be read: %2.").arg(name, qt_error_string(code)));
    }
}

QByteArray worktreefilesReal(const QByteArray &path)
{
    char resolved[PATH_MAX];
    return ::realpath(path.constData(), resolved) ? QByteArray(resolved) : QByteArray();
}

} // namespace

Result<> checkWorkTreePath(const QByteArray &path)
{
    if (path.isEmpty())
        return Unit{};
    if (path.contains('\0') || path.size() >= PATH_MAX)
        return worktreefilesInvalid(path.left(100), QStringLiteral("is not a path"));
    for (const QByteArray &part : path.split('/')) {
        if (part.isEmpty() || part == "." || part == "..")
            return worktreefilesInvalid(path, QStringLiteral("is not a path inside the work tree"));
        if (part.compare(".git", Qt::CaseInsensitive) == 0)
            return worktreefilesInvalid(path, QStringLiteral("belongs to git itself"));
    }
    return Unit{};
}

bool folderEntryBefore(const FolderEntry &a, const FolderEntry &b)
{
    if (a.isDir != b.isDir)
        return a.isDir;
    const int order = qstrnicmp(a.name.constData(), a.name.size(), b.name.constData(), b.name.size());
    return order != 0 ? order < 0 : a.name < b.name;
}

Result<Folder> listFolder(const QString &worktree, const QByteArray &path, qsizetype most)
{
    if (auto fits = checkWorkTreePath(path); !fits)
        return fits.error();
    WorktreeFileHandle at(::open(QFile::encodeName(worktree).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (at.get() < 0)
        return worktreefilesError({}, errno);
    if (!path.isEmpty()) {
        for (const QByteArray &part : path.split('/')) { // one by one, so that no link is ever followed
            const int next = ::openat(at.get(), part.constData(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (next < 0)
                return worktreefilesError(path, errno);
            at.reset(next);
        }
    }
    DIR *stream = ::fdopendir(at.get());
    if (!stream)
        return worktreefilesError(path, errno);
    const int fd = at.release();
    Folder folder;
    while (const dirent *entry = ::readdir(stream)) {
        const QByteArray name(entry->d_name);
        if (name == "." || name == ".." || name == ".git")
            continue;
        if (folder.entries.size() >= most) {
            folder.truncated = true;
            break;
        }
        struct stat found = {};
        if (::fstatat(fd, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0)
            continue; // gone meanwhile
        folder.entries.append({name, S_ISDIR(found.st_mode), S_ISDIR(found.st_mode) ? 0 : qint64(found.st_size)});
    }
    ::closedir(stream);
    std::sort(folder.entries.begin(), folder.entries.end(), folderEntryBefore);
    return folder;
}

Result<FilePiece> readPiece(const QString &worktree, const QByteArray &path, qint64 offset, qint64 limit)
{
    if (path.isEmpty())
        return worktreefilesInvalid(path, QStringLiteral("is not a file"));
    if (auto fits = checkWorkTreePath(path); !fits)
        return fits.error();
    const QByteArray root = worktreefilesReal(QFile::encodeName(worktree));
    if (root.isEmpty())
        return worktreefilesError({}, errno);
    const QByteArray real = worktreefilesReal(root + '/' + path);
    if (real.isEmpty())
        return errno == ENOTDIR ? worktreefilesError(path, ENOENT) : worktreefilesError(path, errno == ELOOP ? ENOENT : errno);
    const auto inside = [&root](const QByteArray &full) {
        return full.startsWith(root + '/') && checkWorkTreePath(full.mid(root.size() + 1));
    };
    if (!inside(real))
        return worktreefilesInvalid(path, QStringLiteral("leads out of the work tree"));
    struct stat found = {};
    // Looked at before it is opened: opening a device or a pipe is an act.
    if (::lstat(real.constData(), &found) != 0)
        return worktreefilesError(path, errno);
    if (!S_ISREG(found.st_mode))
        return worktreefilesInvalid(path, S_ISDIR(found.st_mode) ? QStringLiteral("is a folder") : QStringLiteral("is not a regular file"));
    const WorktreeFileHandle file(::open(real.constData(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (file.get() < 0)
        return worktreefilesError(path, errno);
    // Asked again of what was opened: a folder on the way may have become a link meanwhile.
    char opened[PATH_MAX];
    const ssize_t length = ::readlink(QByteArray("/proc/self/fd/" + QByteArray::number(file.get())).constData(), opened, sizeof opened);
    if (length <= 0 || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) || !inside(QByteArray(opened, length)))
        return worktreefilesInvalid(path, QStringLiteral("changed while it was opened"));
    const auto read = [&file](qint64 from, qint64 most) {
        QByteArray bytes(most, Qt::Uninitialized);
        qint64 have = 0;
        while (have < most) {
            const ssize_t got = ::pread(file.get(), bytes.data() + have, size_t(most - have), off_t(from + have));
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                break;
            have += got;
        }
        bytes.truncate(have);
        return bytes;
    };
    FilePiece piece;
    piece.size = found.st_size;
    piece.binary = looksBinary(read(0, worktreefilesBinaryProbe));
    if (offset < piece.size)
        piece.data = read(offset, qMin(limit, piece.size - offset));
    return piece;
}

bool looksBinary(QByteArrayView beginning)
{
    return beginning.first(qMin(beginning.size(), worktreefilesBinaryProbe)).contains('\0');
}

} // namespace foundry::backend
