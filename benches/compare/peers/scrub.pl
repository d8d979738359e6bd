# The rules one after another, Luhn in code. Arguments are KIND=PATTERN.
use strict;
binmode STDIN;
binmode STDOUT;
my @rules = map { my ($kind, $pattern) = split /=/, $_, 2; [$kind, qr/$pattern/a] } splice @ARGV;

sub luhn {
    (my $digits = shift) =~ tr/0-9//cd;
    my ($sum, $place) = (0, 0);
    for my $digit (reverse split //, $digits) {
        my $weighted = $digit * (1 + $place++ % 2);
        $sum += $weighted > 9 ? $weighted - 9 : $weighted;
    }
    return $sum % 10 == 0;
}

while (<STDIN>) {
    for my $rule (@rules) {
        my ($kind, $regex) = @$rule;
        if ($kind eq "card") { s/($regex)/luhn($1) ? "[card]" : $1/ge }
        else { s/$regex/[$kind]/g }
    }
    print;
}
