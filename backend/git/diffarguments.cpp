#include "backend/git/diffarguments.h"

namespace foundry::backend {

QStringList plainDiffArguments()
{
    return {QStringLiteral("--no-ext-diff"), QStringLiteral("--no-textconv"), QStringLiteral("--no-color"), QStringLiteral("--no-relative"),
        QStringLiteral("--ignore-submodules=dirty"), QStringLiteral("--submodule=short"), QStringLiteral("-M"), QStringLiteral("-l1000")};
}

QStringList listDiffArguments()
{
    return plainDiffArguments() + QStringList{QStringLiteral("--raw"), QStringLiteral("--numstat"), QStringLiteral("-z")};
}

QStringList textDiffArguments()
{
    return plainDiffArguments()
        + QStringList{QStringLiteral("--patch"), QStringLiteral("-U3"), QStringLiteral("--inter-hunk-context=0"),
            QStringLiteral("--src-prefix=a/"), QStringLiteral("--dst-prefix=b/")};
}

QStringList untrackedArguments()
{
    return {QStringLiteral("ls-files"), QStringLiteral("--others"), QStringLiteral("--exclude-standard"), QStringLiteral("-z")};
}

QStringList refreshArguments()
{
    return {QStringLiteral("update-index"), QStringLiteral("-q"), QStringLiteral("--unmerged"), QStringLiteral("--refresh")};
}

QStringList changedNamesArguments()
{
    return {QStringLiteral("diff-files"), QStringLiteral("--name-only"), QStringLiteral("--no-renames"), QStringLiteral("--ignore-submodules=dirty"),
        QStringLiteral("-z")};
}

GitSetting bigFileSetting()
{
    return {QStringLiteral("core.bigFileThreshold"), QStringLiteral("32m")};
}

} // namespace foundry::backend
