#include "app/tour/tourrepository.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTimer>

namespace foundry::app {

namespace {

constexpr auto tourGitDeadline = std::chrono::seconds(20);

struct TourFile {
    const char *path;
    const char *text;
};

const TourFile tourFiles[] = {
    {"README.md",
        "# Harbour\n\nA small library that keeps berths and ships apart.\n\n"
        "| folder | what |\n|---|---|\n| `src` | the library |\n| `tests` | its tests |\n"},
    {"src/harbour.py",
        "\"\"\"Berths of a harbour.\"\"\"\n\nfrom dataclasses import dataclass, field\n\n\n"
        "@dataclass\nclass Harbour:\n    name: str\n    berths: int = 4\n    ships: list[str] = field(default_factory=list)\n\n"
        "    def arrive(self, ship: str) -> bool:\n        if len(self.ships) >= self.berths:\n            return False\n"
        "        self.ships.append(ship)\n        return True\n\n"
        "    def leave(self, ship: str) -> None:\n        self.ships.remove(ship)\n"},
    {"tests/test_harbour.py",
        "from src.harbour import Harbour\n\n\ndef test_full():\n    harbour = Harbour(\"Kiel\", berths=1)\n"
        "    assert harbour.arrive(\"Gorch Fock\")\n    assert not harbour.arrive(\"Alexander\")\n"},
};

} // namespace

void TourRepository::make(const QString &path, QObject *context, std::function<void(Result<>)> answer)
{
    m_path = path;
    m_context = context;
    m_answer = std::move(answer);
    for (const TourFile &one : tourFiles) {
        const QString file = path + QLatin1Char('/') + QString::fromLatin1(one.path);
        QFile out(file);
        if (!QDir().mkpath(file.section(QLatin1Char('/'), 0, -2)) || !out.open(QIODevice::WriteOnly) || out.write(one.text) < 0) {
            finish(makeError(QLatin1StringView("client"), QLatin1StringView("tour_git"),
                tr("%1 could not be written: %2").arg(file, out.errorString()), tr("Name a folder that can be written.")));
            return;
        }
    }
    const QStringList who{QStringLiteral("-c"), QStringLiteral("user.name=Foundry Tour"), QStringLiteral("-c"),
        QStringLiteral("user.email=tour@example.invalid")};
    m_commands = {
        {QStringLiteral("init"), QStringLiteral("--quiet"), QStringLiteral("--initial-branch=main")},
        {QStringLiteral("add"), QStringLiteral("--all")},
        who + QStringList{QStringLiteral("commit"), QStringLiteral("--quiet"), QStringLiteral("--message=Keep berths and ships apart")},
    };
    next();
}

void TourRepository::next()
{
    if (m_commands.isEmpty()) {
        finish(Unit{});
        return;
    }
    const QStringList arguments = m_commands.takeFirst();
    auto *git = new QProcess(this);
    git->setWorkingDirectory(m_path);
    auto *deadline = new QTimer(git);
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, git, &QProcess::kill);
    deadline->start(tourGitDeadline);
    const auto failed = [this, git](const QString &why) {
        git->disconnect(this);
        git->deleteLater();
        finish(makeError(QLatin1StringView("client"), QLatin1StringView("tour_git"),
            tr("The sample repository could not be made: %1").arg(why), tr("Is git installed?")));
    };
    connect(git, &QProcess::errorOccurred, this, [git, failed](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            failed(git->errorString());
    });
    connect(git, &QProcess::finished, this, [this, git, failed](int code, QProcess::ExitStatus status) {
        if (status != QProcess::NormalExit || code != 0) {
            failed(QString::fromUtf8(git->readAllStandardError()).trimmed());
            return;
        }
        git->deleteLater();
        next();
    });
    git->start(QStringLiteral("git"), arguments);
}

void TourRepository::finish(Result<> result)
{
    const auto answer = std::exchange(m_answer, nullptr);
    m_commands.clear();
    if (answer && m_context)
        answer(result);
}

} // namespace foundry::app
