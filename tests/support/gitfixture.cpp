#include "tests/support/gitfixture.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>

#include <filesystem>
#include <random>

namespace foundry::test {

namespace {

// Plain remainders: std::uniform_int_distribution gives other numbers on other libraries.
class BigRandom {
public:
    explicit BigRandom(quint32 seed)
        : m_engine(seed)
    {
    }
    int below(int limit) { return static_cast<int>(m_engine() % static_cast<quint32>(limit)); }

private:
    std::mt19937 m_engine;
};

QByteArray bigPath(int number)
{
    static constexpr const char *tops[] = {"src", "lib", "tests", "tools", "docs", "app"};
    static constexpr const char *suffixes[] = {"cpp", "h", "ts", "py", "md", "json"};
    return QByteArray(tops[number % 6]) + "/module" + QByteArray::number(number / 6 % 40) + "/part" + QByteArray::number(number / 240 % 12)
        + "/file" + QByteArray::number(number) + '.' + suffixes[number / 7 % 6];
}

QByteArray bigContent(BigRandom &random, int number, int version)
{
    static constexpr const char *words[] = {"task", "branch", "session", "agent", "window", "buffer", "index", "worker", "message",
        "token", "render", "frame", "cursor", "queue", "signal", "model"};
    QByteArray text = "// file " + QByteArray::number(number) + " version " + QByteArray::number(version) + '\n';
    const int lines = 8 + random.below(30);
    for (int line = 0; line < lines; ++line) {
        text += "    ";
        for (int word = 2 + random.below(5); word > 0; --word)
            text += QByteArray(words[random.below(16)]) + ' ';
        text += "= " + QByteArray::number(random.below(100000)) + ";\n";
    }
    return text;
}

GitAnswer runGit(const QString &directory, const QStringList &arguments, const QByteArray &input, const QProcessEnvironment &environment)
{
    QProcess process;
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(directory);
    process.start(QStringLiteral("git"), arguments);
    if (!input.isEmpty())
        process.write(input);
    process.closeWriteChannel();
    GitAnswer answer;
    if (!process.waitForFinished(300000)) {
        answer.err = process.errorString().toUtf8();
        return answer;
    }
    answer.exitCode = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    answer.out = process.readAllStandardOutput();
    answer.err = process.readAllStandardError();
    return answer;
}

} // namespace

GitFixture::GitFixture()
{
    const QProcessEnvironment system = QProcessEnvironment::systemEnvironment();
    const QStringList names = system.keys();
    for (const QString &name : names) {
        if (!name.startsWith(QLatin1StringView("GIT_")))
            m_environment.insert(name, system.value(name));
    }
    QDir(root()).mkpath(QStringLiteral("home"));
    m_environment.insert(QStringLiteral("HOME"), path(QStringLiteral("home")));
    m_environment.insert(QStringLiteral("XDG_CONFIG_HOME"), path(QStringLiteral("home/.config")));
    m_environment.insert(QStringLiteral("GIT_CONFIG_NOSYSTEM"), QStringLiteral("1"));
    m_environment.remove(QStringLiteral("EMAIL"));
    write(path(QStringLiteral("home")), QStringLiteral(".gitconfig"),
        "[user]\n\tname = Ada Example\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n");
}

GitFixture::~GitFixture()
{
    // QTemporaryDir gives up at names that are not UTF-8.
    std::error_code ignored;
    std::filesystem::remove_all(QFile::encodeName(root()).constData(), ignored);
}

GitAnswer GitFixture::git(const QString &directory, const QStringList &arguments, const QByteArray &input) const
{
    return runGit(directory, arguments, input, m_environment);
}

QByteArray GitFixture::mustGit(const QString &directory, const QStringList &arguments, const QByteArray &input) const
{
    const GitAnswer answer = git(directory, arguments, input);
    if (!answer.ok())
        qFatal("git %s: exit %d: %s", qPrintable(arguments.join(QLatin1Char(' '))), answer.exitCode, answer.err.constData());
    return answer.out;
}

QString GitFixture::makeEmpty(const QString &name) const
{
    QString directory = path(name);
    QDir().mkpath(directory);
    mustGit(directory, {QStringLiteral("init"), QStringLiteral("-q")});
    return directory;
}

QString GitFixture::makeRepository(const QString &name) const
{
    QString directory = makeEmpty(name);
    write(directory, QStringLiteral("README.md"), "# Example\n\nA small repository.\n");
    write(directory, QStringLiteral("src/main.cpp"), "int main()\n{\n    return 0;\n}\n");
    commitAll(directory, QStringLiteral("First commit"));
    return directory;
}

void GitFixture::write(const QString &directory, const QString &file, const QByteArray &bytes, bool executable) const
{
    const QString full = directory + QLatin1Char('/') + file;
    QDir().mkpath(QFileInfo(full).absolutePath());
    QFile out(full);
    if (!out.open(QIODevice::WriteOnly | QIODevice::Truncate) || out.write(bytes) != bytes.size())
        qFatal("cannot write %s", qPrintable(full));
    out.close();
    if (executable)
        out.setPermissions(out.permissions() | QFileDevice::ExeOwner | QFileDevice::ExeGroup | QFileDevice::ExeOther);
}

QByteArray GitFixture::read(const QString &directory, const QString &file) const
{
    QFile in(directory + QLatin1Char('/') + file);
    return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
}

void GitFixture::commitAll(const QString &directory, const QString &message) const
{
    mustGit(directory, {QStringLiteral("add"), QStringLiteral("-A")});
    mustGit(directory, {QStringLiteral("commit"), QStringLiteral("-q"), QStringLiteral("-m"), message});
}

Result<> makeBigRepository(const QString &path, const BigRepository &spec, const QProcessEnvironment &environment)
{
    const auto failed = [](const QString &what) { return makeError(QLatin1StringView("internal"), QLatin1StringView("fixture"), what); };
    QDir().mkpath(path);
    const GitAnswer init = runGit(path, {QStringLiteral("init"), QStringLiteral("-q"), QStringLiteral("-b"), QStringLiteral("main")}, {}, environment);
    if (!init.ok())
        return failed(QString::fromUtf8(init.err));

    QProcess import;
    import.setProcessEnvironment(environment);
    import.setWorkingDirectory(path);
    import.start(QStringLiteral("git"), {QStringLiteral("fast-import"), QStringLiteral("--quiet")});
    if (!import.waitForStarted(10000))
        return failed(import.errorString());
    BigRandom random(spec.seed);
    QByteArray batch;
    for (int commit = 0; commit < spec.commits; ++commit) {
        const QByteArray message = "Change " + QByteArray::number(commit) + '\n';
        const QByteArray at = QByteArray::number(1600000000LL + 3600LL * commit);
        batch += "commit refs/heads/main\ncommitter Ada Example <ada@example.com> " + at + " +0000\ndata " + QByteArray::number(message.size()) + '\n' + message;
        const int touched = commit == 0 ? spec.files : 1 + random.below(4);
        for (int i = 0; i < touched; ++i) {
            const int number = commit == 0 ? i : random.below(spec.files);
            const QByteArray content = bigContent(random, number, commit);
            batch += "M 100644 inline " + bigPath(number) + "\ndata " + QByteArray::number(content.size()) + '\n' + content + '\n';
        }
        if (spec.branches > 0 && commit % qMax(1, spec.commits / spec.branches) == 0)
            batch += "reset refs/heads/feature/" + QByteArray::number(commit) + "\nfrom refs/heads/main\n\n";
        if (batch.size() > 4 << 20 || commit + 1 == spec.commits) {
            import.write(std::exchange(batch, {}));
            while (import.bytesToWrite() > 0) {
                if (!import.waitForBytesWritten(60000))
                    return failed(QStringLiteral("git fast-import stopped reading"));
            }
        }
    }
    import.closeWriteChannel();
    if (!import.waitForFinished(300000) || import.exitCode() != 0)
        return failed(QString::fromUtf8(import.readAllStandardError()));
    if (!spec.checkOut)
        return Unit{};
    const GitAnswer checkout = runGit(path, {QStringLiteral("reset"), QStringLiteral("--hard"), QStringLiteral("-q")}, {}, environment);
    return checkout.ok() ? Result<>(Unit{}) : Result<>(failed(QString::fromUtf8(checkout.err)));
}

} // namespace foundry::test
