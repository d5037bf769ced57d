// The pure parts: configuration guard, lists, names, addresses, progress.
#include "backend/git/branchname.h"
#include "backend/git/difflist.h"
#include "backend/git/gitguard.h"
#include "backend/git/gitpath.h"
#include "backend/git/gitprogress.h"
#include "backend/git/giturl.h"
#include "backend/git/refresolver.h"
#include "backend/git/worktreelist.h"
#include "models/types/ids.h"
#include "tests/support/gitfixture.h"

#include <QSet>
#include <QTest>

using namespace foundry;
using namespace foundry::backend;

class TestGitParse : public QObject {
    Q_OBJECT

private:
    static QByteArray nul(const char *text) { return QByteArray(text).replace('|', '\0'); }
    static ScopedSetting setting(const char *scope, const char *key, const char *value)
    {
        return {QString::fromLatin1(scope), QString::fromUtf8(key), QString::fromUtf8(value)};
    }
    static GitSetting laid(const char *key, const char *value) { return {QString::fromUtf8(key), QString::fromUtf8(value)}; }

private Q_SLOTS:
    void scopedSettings()
    {
        const auto parsed = parseScopedSettings(nul("global|user.name\nAda\nB|local|core.bare|local|filter.a=b.c.clean\nrun me|"));
        QVERIFY(parsed);
        QCOMPARE(*parsed, (QList<ScopedSetting>{setting("global", "user.name", "Ada\nB"), setting("local", "core.bare", "true"),
                              setting("local", "filter.a=b.c.clean", "run me")}));
        QVERIFY(!parseScopedSettings(nul("global|")));
        QVERIFY(parseScopedSettings({})->isEmpty());
    }
    void guardTakesTheRepositorysProgramsAway()
    {
        const auto guard = guardAgainst({setting("global", "filter.lfs.clean", "git-lfs clean"), setting("local", "filter.evil=x.y.clean", "touch /tmp/x"),
            setting("local", "filter.evil=x.y.required", "true"), setting("worktree", "core.sshcommand", "evil"), setting("local", "user.name", "Ada"),
            setting("local", "diff.txt.textconv", "evil"), setting("local", "gpg.ssh.program", "evil"), setting("local", "filter.lfs.clean", "evil"),
            setting("local", "filter.lfs.clean", "evil again"), setting("command", "core.editor", "ours")});
        QVERIFY(guard);
        QCOMPARE(guard->settings, (QList<GitSetting>{laid("filter.evil=x.y.clean", ""), laid("filter.evil=x.y.required", "false"), laid("core.sshcommand", "ssh"),
                             laid("diff.txt.textconv", ""), laid("gpg.ssh.program", "false"), laid("filter.lfs.clean", "git-lfs clean")}));
        QVERIFY(guardAgainst({setting("global", "core.sshcommand", "mine"), setting("global", "credential.helper", "store"),
            setting("global", "remote.origin.uploadpack", "mine")}).value() == GitGuard());
        QVERIFY(guardAgainst({setting("local", "remote.origin.uploadpack", "evil")})->environment.contains(QStringLiteral("GIT_ALLOW_PROTOCOL")));
    }
    void guardKeepsTheUsersCredentialHelpers()
    {
        const auto guard = guardAgainst({setting("system", "credential.helper", "cache"), setting("global", "credential.https://a.example.helper", "mine"),
            setting("local", "credential.https://b.example.helper", "!steal")});
        QCOMPARE(guard->settings, (QList<GitSetting>{laid("credential.helper", ""), laid("credential.helper", "cache"), laid("credential.https://a.example.helper", "mine")}));
    }
    void guardRefusesWhatItCannotOverride()
    {
        QList<ScopedSetting> many;
        for (int i = 0; i < 3000; ++i)
            many.append(setting("local", QByteArray("filter.f" + QByteArray::number(i) + ".clean").constData(), "x"));
        QVERIFY(!guardAgainst(many));
        QVERIFY(!guardAgainst({{QStringLiteral("local"), QStringLiteral("filter.\uFFFD.clean"), QStringLiteral("x")}}));
    }

    void paths_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("text");
        QTest::newRow("plain") << QByteArray("src/main.cpp") << QStringLiteral("src/main.cpp");
        QTest::newRow("unicode") << QByteArray("für/日本 😀.txt") << QStringLiteral("für/日本 😀.txt");
        QTest::newRow("newline and tab") << QByteArray("a\nb\tc") << QStringLiteral("a\nb\tc");
        QTest::newRow("quotes inside") << QByteArray("a\"b\\c") << QStringLiteral("a\"b\\c");
        QTest::newRow("quoted name") << QByteArray("\"a\"") << QStringLiteral("\"\\\"a\\\"\"");
        QTest::newRow("latin 1") << QByteArray("caf\xe9.txt") << QStringLiteral("\"caf\\351.txt\"");
        QTest::newRow("latin 1 and backslash") << QByteArray("\xff\\351") << QStringLiteral("\"\\377\\\\351\"");
        QTest::newRow("byte order mark") << QByteArray("\xef\xbb\xbfx") << QStringLiteral("\uFEFFx");
    }
    void paths()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, text);
        QCOMPARE(pathFromGit(bytes), text);
        QCOMPARE(pathToGit(text), bytes);
    }

    void diffLists()
    {
        const QByteArray listed = nul(":100644 100644 a b M|src/a.cpp|:100644 100644 a b R087|old.txt|new\nname.txt|:000000 100644 0 b A|logo.png|"
                                      ":000000 000000 0 0 U|both.txt|:100644 100644 a b M|both.txt|:100644 120000 a b T|link|:100644 000000 a 0 D|gone|"
                                      "3\t1\tsrc/a.cpp|10\t2\t|old.txt|new\nname.txt|-\t-\tlogo.png|1\t1\tboth.txt|0\t7\tgone|");
        const QList<FileChange> changes = parseDiffList(listed, ChangeScope::Committed);
        QCOMPARE(changes.size(), 6);
        QCOMPARE(changes[0].id, QStringLiteral("committed:src/a.cpp"));
        QCOMPARE(changes[0].added, 3);
        QCOMPARE(changes[0].removed, 1);
        QCOMPARE(changes[1].status, QStringLiteral("R"));
        QCOMPARE(changes[1].path, QStringLiteral("new\nname.txt"));
        QCOMPARE(changes[1].oldPath, std::optional<QString>(QStringLiteral("old.txt")));
        QCOMPARE(changes[1].added, 10);
        QVERIFY(changes[2].binary);
        QCOMPARE(changes[3].status, QStringLiteral("U"));
        QCOMPARE(changes[4].status, QStringLiteral("T"));
        QCOMPARE(changes[5].removed, 7);
        // Cut anywhere: no more than was there, and no crash.
        for (qsizetype length = 0; length < listed.size(); ++length)
            QVERIFY(parseDiffList(listed.left(length), ChangeScope::Staged).size() <= 6);
        QCOMPARE(parseNameList(nul("a|b c|d")), (QList<QByteArray>{"a", "b c"}));
    }

    void worktreeLists()
    {
        const auto entries = parseWorktreeList(nul("worktree /srv/a.git|bare||worktree /data/a b|HEAD abc|branch refs/heads/fix/x||"
                                                   "worktree /data/c|HEAD abc|detached|locked being made: x||worktree /data/d|HEAD abc|branch refs/heads/d|prunable gitdir file points to non-existent location||"));
        QCOMPARE(entries.size(), 4);
        QVERIFY(entries[0].isBare);
        QCOMPARE(entries[1].path, QStringLiteral("/data/a b"));
        QCOMPARE(entries[1].branch, QStringLiteral("fix/x"));
        QVERIFY(entries[2].isLocked && entries[2].branch.isEmpty());
        QCOMPARE(entries[2].lockReason, QStringLiteral("being made: x"));
        QVERIFY(entries[3].isGone);
    }

    void progress_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::addColumn<QString>("phase");
        QTest::addColumn<double>("fraction");
        QTest::newRow("receiving") << QByteArray("Receiving objects:  45% (450/1000), 1.20 MiB | 2.00 MiB/s") << QStringLiteral("Receiving objects") << 0.45;
        QTest::newRow("remote") << QByteArray("remote: Compressing objects: 100% (7/7), done.        ") << QStringLiteral("Compressing objects") << 1.0;
        QTest::newRow("files") << QByteArray("Updating files:   3% (6/200)") << QStringLiteral("Updating files") << 0.03;
        QTest::newRow("counting without an end") << QByteArray("remote: Enumerating objects: 1234") << QString() << 0.0;
        QTest::newRow("words") << QByteArray("Cloning into 'x'...") << QString() << 0.0;
    }
    void progress()
    {
        QFETCH(QByteArray, line);
        QFETCH(QString, phase);
        QFETCH(double, fraction);
        const auto step = parseGitProgress(line);
        QCOMPARE(step.has_value(), !phase.isEmpty());
        if (step) {
            QCOMPARE(step->phase, phase);
            QCOMPARE(step->fraction, fraction);
        }
    }
    void cloneProgressRises()
    {
        double last = 0;
        for (const char *phase : {"Counting objects", "Compressing objects", "Receiving objects", "Resolving deltas", "Updating files"}) {
            for (const double part : {0.0, 0.5, 1.0}) {
                const double now = cloneFraction({QString::fromLatin1(phase), part});
                QVERIFY(now >= last && now <= 1);
                last = now;
            }
        }
    }

    void urls_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("scheme"); // empty: refused
        QTest::addColumn<QString>("shown");
        QTest::addColumn<QString>("name");
        const auto good = [](const char *text, const char *scheme, const char *shown, const char *name) {
            QTest::newRow(text) << QString::fromUtf8(text) << QString::fromLatin1(scheme) << QString::fromUtf8(shown) << QString::fromUtf8(name);
        };
        const auto bad = [](const char *text) { QTest::newRow(*text ? text : "(empty)") << QString::fromUtf8(text) << QString() << QString() << QString(); };
        good("https://github.com/owner/app.git", "https", "https://github.com/owner/app.git", "app");
        good(" https://ada@example.com:8443/a/b/ ", "https", "https://example.com:8443/a/b/", "b");
        good("HTTPS://example.com/a", "https", "HTTPS://example.com/a", "a");
        good("ssh://git@example.com:22/~/app.git", "ssh", "ssh://example.com:22/~/app.git", "app");
        good("git@github.com:owner/app.git", "ssh", "github.com:owner/app.git", "app");
        good("example.com:app", "ssh", "example.com:app", "app");
        good("ada@[::1]:app.git", "ssh", "[::1]:app.git", "app");
        good("file:///srv/my app.git", "file", "file:///srv/my app.git", "my app");
        good("file:///srv/app/.git", "file", "file:///srv/app/.git", "app");
        good("http://127.0.0.1:8000/app", "http", "http://127.0.0.1:8000/app", "app");
        bad("");
        bad("ext::sh -c 'touch /tmp/x'");
        bad("ext::sh");
        bad("fd::17");
        bad("foo://example.com/a");
        bad("git://example.com/a");
        bad("ftp://example.com/a");
        bad("/srv/app");
        bad("./app");
        bad("app");
        bad("-uexample:app");
        bad("--upload-pack=touch:x");
        bad("ssh://-oProxyCommand=touch/x");
        bad("-oProxyCommand=x@example.com:a");
        bad("git@-oProxyCommand=x:a");
        bad("https://ada:secret@example.com/a.git");
        bad("https://ghp_0123456789abcdef@github.com/a/b");
        bad("https:///a");
        bad("https://example.com");
        bad("https://example.com/a b");
        bad("https://example.com/a\nb");
        bad("file://example.com/a");
    }
    void urls()
    {
        QFETCH(QString, text);
        QFETCH(QString, scheme);
        QFETCH(QString, shown);
        QFETCH(QString, name);
        const auto url = parseGitUrl(text);
        QCOMPARE(url.ok(), !scheme.isEmpty());
        if (!url) {
            QCOMPARE(url.error().key(), QStringLiteral("input.invalid"));
            QVERIFY(!url.error().action.isEmpty());
            QVERIFY(!url.error().message.contains(QLatin1StringView("secret")));
            return;
        }
        QCOMPARE(url->scheme, scheme);
        QCOMPARE(url->shown, shown);
        QCOMPARE(url->name, name);
    }

    void slugs_data()
    {
        QTest::addColumn<QString>("title");
        QTest::addColumn<QString>("begin");
        const auto row = [](const char *title, const char *begin) { QTest::newRow(*title ? title : "(empty)") << QString::fromUtf8(title) << QString::fromUtf8(begin); };
        row("Fix the login page", "fix-the-login-page");
        row("  Don't panic!  ", "dont-panic");
        row("Größe ändern: Straße", "grosse-andern-strasse");
        row("Łódź, Ørsted, Æon, Œuvre", "lodz-orsted-aeon-oeuvre");
        row("日本語", "task");
        row("Ошибка в API v2", "api-v2");
        row("🚀🚀", "task");
        row("ship it 🚀 now", "ship-it-now");
        row("ﬁx ﬂow ①", "fix-flow-1");
        row("", "task");
        row("...", "task");
        row("a..b.lock", "a-b-lock");
        row("refs/heads/x @{u} ~1 ^2 :x", "refs-heads-x-u-1-2-x");
        row("-rf /", "rf");
        row("HEAD", "head");
        row("a\nb\tc\\d", "a-b-c-d");
        row("one two three four five six seven eight nine ten eleven twelve", "one-two-three-four-five-six-seven-eight-nine-ten");
        row("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
    void slugs()
    {
        QFETCH(QString, title);
        QFETCH(QString, begin);
        const QString slug = slugForBranch(title, QStringLiteral("0192f0c1-7d8a-7abc-8def-0123456789ab"));
        QCOMPARE(slug.section(QLatin1Char('-'), 0, -2), begin);
        QCOMPARE(slug.section(QLatin1Char('-'), -1).size(), 6);
        QVERIFY(isValidBranchName(slug));
        const test::GitFixture fixture;
        QVERIFY(fixture.git(fixture.root(), {QStringLiteral("check-ref-format"), QStringLiteral("--branch"), slug}).ok());
    }
    void slugsDiffer()
    {
        QSet<QString> seen;
        for (int i = 0; i < 2000; ++i)
            seen.insert(slugForBranch(QStringLiteral("same"), makeUuid7()));
        QVERIFY(seen.size() >= 1999); // 30 bits
        QCOMPARE(slugForBranch(QStringLiteral("x"), QStringLiteral("t")), slugForBranch(QStringLiteral("x"), QStringLiteral("t")));
    }

    // Our rule against git's own.
    void branchNames()
    {
        const test::GitFixture fixture;
        const QStringList names{QStringLiteral("main"), QStringLiteral("feature/a-b_c"), QStringLiteral("für/日本"), QStringLiteral("a.b"), QStringLiteral("@a"),
            QStringLiteral("a@"), QStringLiteral("a{b}"), QStringLiteral("a..b"), QStringLiteral(".a"), QStringLiteral("a/.b"), QStringLiteral("a.lock"),
            QStringLiteral("a.lock/b"), QStringLiteral("a."), QStringLiteral("a/"), QStringLiteral("/a"), QStringLiteral("a//b"), QStringLiteral("a b"),
            QStringLiteral("a~b"), QStringLiteral("a^b"), QStringLiteral("a:b"), QStringLiteral("a?b"), QStringLiteral("a*b"), QStringLiteral("a[b"),
            QStringLiteral("a\\b"), QStringLiteral("a@{b"), QStringLiteral("-a"), QStringLiteral("HEAD"), QStringLiteral("a\tb"),
            QStringLiteral("a\x7f"), QStringLiteral("a"), QStringLiteral("a'b\"c$(d)")};
        for (const QString &name : names) {
            const bool git = fixture.git(fixture.root(), {QStringLiteral("check-ref-format"), QStringLiteral("--branch"), name}).ok();
            QVERIFY2(isValidBranchName(name) == git, qPrintable(name));
        }
        QVERIFY(!isValidBranchName({}));
        QVERIFY(!isValidBranchName(QStringLiteral("@"))); // git takes it for HEAD
        QVERIFY(!isValidBranchName(QString(201, QLatin1Char('a'))));
    }

    void refs()
    {
        const auto best = [](const char *name, const char *listed) { return bestRef(QString::fromLatin1(name), QByteArray(listed)).value_or(QStringLiteral("-")); };
        QCOMPARE(best("main", "refs/heads/main\nrefs/remotes/origin/main\n"), QStringLiteral("refs/heads/main"));
        QCOMPARE(best("main", "refs/remotes/origin/main\nrefs/tags/main\n"), QStringLiteral("refs/remotes/origin/main"));
        QCOMPARE(best("origin/main", "refs/remotes/origin/main\n"), QStringLiteral("refs/remotes/origin/main"));
        QCOMPARE(best("fix/a", "refs/remotes/other/fix/a\n"), QStringLiteral("refs/remotes/other/fix/a"));
        QCOMPARE(best("fix", "refs/heads/fix/deeper\n"), QStringLiteral("-"));
        for (const char *bad : {"-x", "a..b", "^a", "a b", "", "HEAD:x"})
            QVERIFY2(!isPlausibleRevision(QString::fromLatin1(bad)), bad);
        for (const char *good : {"main", "HEAD~2", "v1.0^{}", "0123abc", "main@{1}"})
            QVERIFY2(isPlausibleRevision(QString::fromLatin1(good)), good);
    }
};

QTEST_GUILESS_MAIN(TestGitParse)
#include "tst_gitparse.moc"
