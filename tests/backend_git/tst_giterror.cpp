// What git, ssh and curl write, as errors that people understand.
#include "backend/git/giterror.h"

#include <QTest>

using namespace foundry::backend;
using foundry::Error;

class TestGitError : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void classifies_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("inMessage");
        const auto row = [](const char *name, const char *text, const char *code, const char *inMessage = "") {
            QTest::newRow(name) << QByteArray(text) << QString::fromLatin1(code) << QString::fromUtf8(inMessage);
        };
        row("no repository", "fatal: not a git repository (or any of the parent directories): .git\n", "not_a_repository");
        row("no repository, mount", "fatal: not a git repository (or any parent up to mount point /)\nStopping at filesystem boundary (GIT_DISCOVERY_ACROSS_FILESYSTEM not set).\n", "not_a_repository");
        row("no folder", "fatal: cannot change to '/x/y': No such file or directory\n", "not_found", "/x/y");
        row("folder closed", "fatal: cannot change to '/root/x': Permission denied\n", "not_found", "/root/x");
        row("dubious", "fatal: detected dubious ownership in repository at '/srv/app'\nTo add an exception for this directory, call:\n\n\tgit config --global --add safe.directory /srv/app\n", "untrusted", "/srv/app");
        row("dubious, older", "fatal: unsafe repository ('/srv/app' is owned by someone else)\n", "untrusted", "/srv/app");
        row("another work tree is being made", "fatal: failed to read .git/worktrees/fix/commondir: Success\n", "locked", ".git/worktrees/fix/commondir");
        row("bare forbidden", "fatal: cannot use bare repository '/srv/a.git' (safe.bareRepository is 'explicit')\n", "untrusted", "/srv/a.git");
        row("branch exists", "fatal: a branch named 'fix' already exists\n", "branch_exists", "fix");
        row("branch exists, ref", "fatal: cannot lock ref 'refs/heads/fix': reference already exists\n", "branch_exists");
        row("branch in the way", "fatal: cannot lock ref 'refs/heads/fix/a': 'refs/heads/fix' exists; cannot create 'refs/heads/fix/a'\n", "branch_exists", "fix");
        row("branch is a folder", "fatal: cannot lock ref 'refs/heads/fix': there is a non-empty directory '.git/refs/heads/fix' blocking reference 'refs/heads/fix'\n", "branch_exists");
        row("branch in use", "fatal: 'main' is already checked out at '/home/a/app'\n", "branch_in_use", "main");
        row("branch in use, newer", "fatal: 'main' is already used by worktree at '/home/a/app'\n", "branch_in_use", "main");
        row("bad name", "fatal: 'a b' is not a valid branch name\n", "invalid_name");
        row("bad ref", "fatal: refusing to update ref with bad name 'refs/heads/a..b'\n", "invalid_name");
        row("missing revision", "fatal: ambiguous argument 'nope': unknown revision or path not in the working tree.\n", "missing_ref");
        row("missing reference", "fatal: invalid reference: nope\n", "missing_ref");
        row("single revision", "fatal: Needed a single revision\n", "missing_ref");
        row("remote branch", "fatal: Remote branch nope not found in upstream origin\n", "missing_ref");
        row("path exists", "fatal: '/data/wt' already exists\n", "path_exists", "/data/wt");
        row("clone path exists", "fatal: destination path 'x' already exists and is not an empty directory.\n", "path_exists");
        row("dirty worktree", "fatal: '/wt' contains modified or untracked files, use --force to delete it\n", "dirty");
        row("dirty checkout", "error: Your local changes to the following files would be overwritten by checkout:\n\ta.txt\nPlease commit your changes\n", "dirty");
        row("conflict", "CONFLICT (content): Merge conflict in a.txt\nAutomatic merge failed; fix conflicts and then commit the result.\n", "conflict");
        row("disk full", "error: unable to write file src/a.cpp: No space left on device\nfatal: Could not reset index file to revision 'HEAD'.\n", "no_space");
        row("disk full, pack", "fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output\n", "no_space");
        row("quota", "error: file write error: Disk quota exceeded\n", "no_space");
        row("no password prompt", "fatal: could not read Username for 'https://example.com': terminal prompts disabled\n", "auth_failed");
        row("wrong password", "remote: Invalid username or password.\nfatal: Authentication failed for 'https://example.com/a.git/'\n", "auth_failed");
        row("http 403", "fatal: unable to access 'https://example.com/a.git/': The requested URL returned error: 403\n", "auth_failed");
        row("ssh key", "git@example.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n", "auth_failed");
        row("ssh key and password", "a@h: Permission denied (publickey,password,keyboard-interactive).\n", "auth_failed");
        row("host key", "No ED25519 host key is known for example.com and you have requested strict checking.\nHost key verification failed.\nfatal: Could not read from remote repository.\n", "host_key");
        row("name", "fatal: unable to access 'https://nope.invalid/a.git/': Could not resolve host: nope.invalid\n", "network", "nope.invalid");
        row("ssh name", "ssh: Could not resolve hostname nope.invalid: Name or service not known\nfatal: Could not read from remote repository.\n", "network", "nope.invalid");
        row("refused", "fatal: unable to access 'http://127.0.0.1:1/': Failed to connect to 127.0.0.1 port 1: Connection refused\n", "network");
        row("cut", "error: RPC failed; curl 56 GnuTLS recv error (-54): Error in the pull function.\nfatal: early EOF\n", "network");
        row("certificate", "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none CRLfile: none\n", "network", "certificate");
        row("server error", "fatal: unable to access 'https://h/': The requested URL returned error: 503\n", "network");
        row("no such repository", "remote: Repository not found.\nfatal: repository 'https://example.com/a.git/' not found\n", "not_found");
        row("no such file url", "fatal: '/x/y' does not appear to be a git repository\nfatal: Could not read from remote repository.\n", "not_found", "/x/y");
        row("ext", "fatal: transport 'ext' not allowed\n", "invalid_name", "ext");
        row("helper", "fatal: unable to find remote helper for 'foo'\n", "invalid_name", "foo");
        row("index lock", "fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process seems to be running\n", "locked", "index.lock");
        row("identity", "Author identity unknown\n\n*** Please tell me who you are.\n", "no_identity");
        row("identity, mail", "fatal: unable to auto-detect email address (got 'root@h.(none)')\n", "no_identity");
        row("read only", "fatal: could not create work tree dir 'x': Read-only file system\n", "read_only");
        row("not writable", "fatal: could not create leading directories of '/a/b': Permission denied\n", "read_only");
        row("damaged", "error: object file .git/objects/aa/bb is empty\nfatal: loose object aabb (stored in .git/objects/aa/bb) is corrupt\n", "damaged");
        row("bad config", "fatal: bad config line 3 in file .git/config\n", "damaged");
        row("anything else", "fatal: the moon is in the wrong phase\n", "failed");
        row("nothing said", "", "failed");
    }
    void classifies()
    {
        QFETCH(QByteArray, text);
        QFETCH(QString, code);
        QFETCH(QString, inMessage);
        const Error error = gitErrorFromText(QStringLiteral("do it"), 128, text);
        QCOMPARE(error.group, QStringLiteral("git"));
        QCOMPARE(error.code, code);
        QVERIFY2(error.message.startsWith(QStringLiteral("Could not do it")), qPrintable(error.message));
        QVERIFY2(error.message.contains(inMessage), qPrintable(error.message));
        QVERIFY2(!error.message.contains(QLatin1StringView("%1")) && !error.message.contains(QLatin1StringView("not named")), qPrintable(error.message));
        QVERIFY2(!error.action.isEmpty(), qPrintable(code));
        QVERIFY(error.message.endsWith(QLatin1Char('.')));
    }
    void untrustedSaysTheCommand()
    {
        const Error error = gitErrorFromText(QStringLiteral("x"), 128, "fatal: detected dubious ownership in repository at '/srv/my app'\n");
        QVERIFY2(error.action.endsWith(QStringLiteral("git config --global --add safe.directory '/srv/my app'")), qPrintable(error.action));
    }
    void ends()
    {
        const auto codeOf = [](ChildEnd end) {
            ChildOutcome outcome;
            outcome.end = end;
            return gitError(QStringLiteral("x"), outcome).code;
        };
        QCOMPARE(codeOf(ChildEnd::FailedToStart), QStringLiteral("not_installed"));
        QCOMPARE(codeOf(ChildEnd::Cancelled), QStringLiteral("cancelled"));
        QCOMPARE(codeOf(ChildEnd::Deadline), QStringLiteral("timeout"));
        QCOMPARE(codeOf(ChildEnd::IdleDeadline), QStringLiteral("timeout"));
        QCOMPARE(codeOf(ChildEnd::Crashed), QStringLiteral("failed"));
        QCOMPARE(codeOf(ChildEnd::OutputCap), QStringLiteral("failed"));
    }
    void secretsStayOut()
    {
        const Error error = gitErrorFromText(QStringLiteral("clone"), 128,
            "fatal: unable to access 'https://ada:s3cret@example.com/a.git/': The requested URL returned error: 500\n");
        QVERIFY(!(error.message + error.detail).contains(QLatin1StringView("s3cret")));
        QVERIFY(error.detail.contains(QLatin1StringView("https://example.com/a.git")));
    }
    // The end of what git wrote, without the lines that only count.
    void detailIsATail()
    {
        QByteArray text;
        for (int i = 0; i < 200; ++i)
            text += "Receiving objects: " + QByteArray::number(i) + "% (1/2)\rremote: note " + QByteArray::number(i) + "\n";
        text += "fatal: the end\n";
        const Error error = gitErrorFromText(QStringLiteral("x"), 1, text);
        QVERIFY(error.detail.endsWith(QStringLiteral("fatal: the end")));
        QVERIFY(error.detail.size() <= 2000);
        QVERIFY(!error.detail.contains(QLatin1StringView("Receiving")));
    }
};

QTEST_GUILESS_MAIN(TestGitError)
#include "tst_giterror.moc"
